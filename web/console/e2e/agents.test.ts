import { beforeAll, expect, test } from "vitest";
import { expectGood, id, page, patchbay, setUp } from "./browser";

let builder: string;

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB", process: "agents" });
  const create = (title: string, body: object = {}) => ({ op: "create", task_id: title, body: { title, ...body } });
  const tasks = [
    create("Schema", { priority: "P2" }),
    create("Form", { priority: "P0", due_on: "2027-01-04", labels: ["frontend"] }),
    create("Tests", { depends_on: ["Form"] }),
  ];
  await patchbay.api("/projects/WEB/patches", { mode: "apply", patch: { tasks } });
  await patchbay.api("/members", { name: "builder", role: "agent" });
  const scopes = ["read", "propose", "apply"];
  builder = (await patchbay.api("/keys", { name: "laptop", member: "builder", scopes })).key;
});

test("where no agent has come by, the pages say what they are for", async () => {
  await page.goto(`${patchbay.url}/agents`);
  await page.getByText("No agent has come by yet").waitFor();
  await expectGood("agents, none");
  await page.getByRole("link", { name: "Leases" }).click();
  await page.getByText("Nobody holds anything").waitFor();
  await expectGood("leases, none");
});

test("ready work stands in the order in which it is given out", async () => {
  await page.getByRole("link", { name: "Ready work" }).click();
  await id("ready").getByText("Form").waitFor();
  expect(await id("ready").locator("li").allInnerTexts()).toEqual([
    expect.stringContaining("Form"),
    expect.stringContaining("Schema"),
  ]);
  await expectGood("ready work");
});

test("an agent that comes by is seen with what it is and holds", async () => {
  const me = { role: "developer", skills: ["rust", "typescript"], ttl_seconds: 3600 };
  await patchbay.api("/collab/agents/me", me, { key: builder, method: "PUT" });
  await patchbay.api("/collab/claim", { ttl_seconds: 900 }, { key: builder });
  // It is told, and the open page follows.
  await expect.poll(() => id("ready").locator("li").count(), { timeout: 15_000 }).toBe(1);
  await page.getByRole("link", { name: "Agents" }).last().click();
  await id("agent-builder").getByText("available").waitFor();
  await id("agent-builder").getByText("typescript").waitFor();
  await id("agent-builder").getByRole("link", { name: "WEB-2" }).waitFor();
  await expectGood("agents");
});

test("an admin takes a lease over, says why, and gives it back", async () => {
  await patchbay.api("/collab/leases/acquire", { resource: "repo:main", ttl_seconds: 60 }, { key: builder });
  await page.getByRole("link", { name: "Leases" }).click();
  await expect.poll(() => id("lease").count()).toBe(2);
  await id("lease")
    .first()
    .getByText(/\d+s left/)
    .waitFor();
  await expectGood("leases");
  await page.getByRole("button", { name: "Take over task:WEB-2" }).click();
  await page.keyboard.press("Enter");
  await id("steal").getByText("say why: the one who held it will ask").waitFor();
  await id("steal").getByLabel("Why").fill("it hangs");
  await expectGood("take a lease over");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Give back task:WEB-2" }).click();
  await expect.poll(() => id("lease").count()).toBe(1);
  const { data } = await patchbay.api("/audit?action=lease.stolen");
  expect(data[0].details.reason).toBe("it hangs");
});
