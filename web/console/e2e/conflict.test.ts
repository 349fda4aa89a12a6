import { beforeAll, expect, test } from "vitest";
import { expectAccessible, id, page, patchbay, setUp, shoot } from "./browser";

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB" });
  const create = (title: string, body: object = {}) => ({ op: "create", task_id: title, body: { title, ...body } });
  await apply(create("Schema", { due_on: "2026-12-01" }), create("Form"), create("Tests"));
});

/** What somebody else does meanwhile, by the API. */
const update = (task: string, body: object) => ({ op: "update", task_id: task, body });
const apply = (...tasks: object[]) => patchbay.api("/projects/WEB/patches", { mode: "apply", patch: { tasks } });
const propose = (...tasks: object[]) => patchbay.api("/projects/WEB/patches", { patch: { tasks } });

test("a proposal that the plan has overtaken shows where they disagree, and each is settled with a click", async () => {
  await propose(
    update("WEB-1", { due_on: "2026-11-28" }),
    update("WEB-2", { title: "Sign-in form" }),
    update("WEB-3", { priority: "P1" }),
  );
  await page.goto(`${patchbay.url}/p/WEB`);
  await id("accept-all").waitFor();
  await apply(update("WEB-1", { due_on: "2026-12-04" }), update("WEB-2", { title: "Login form" }));

  await id("accept-all").click();
  await id("conflicts").waitFor();
  await expect.poll(() => id("conflict").count()).toBe(2);
  const first = id("conflict").first();
  await expect.poll(() => first.innerText()).toContain("4 Dec");
  expect(await first.innerText()).toMatch(/It was[\s\S]*1 Dec[\s\S]*It is[\s\S]*4 Dec[\s\S]*Proposed[\s\S]*28 Nov/);
  expect(await id("accept-all").isDisabled()).toBe(true);
  await expectAccessible(page, "conflicts");
  await shoot("conflicts");

  await first.getByRole("button", { name: "as proposed" }).click();
  await expect.poll(() => id("conflict").count()).toBe(1);
  await id("conflict").getByRole("button", { name: "Another…" }).click();
  await page.getByLabel("another value").fill("Sign-in and login form");
  await page.keyboard.press("Enter");
  await id("conflicts").waitFor({ state: "detached" });
  await id("accept-all").click();
  await page.getByText("WEB is at version 4").waitFor();
  const tree = page.locator("[data-testid=plan-tree]");
  await expect.poll(() => tree.innerText()).toContain("Sign-in and login form");
});

test("any version can be looked at, compared and taken back", async () => {
  await apply(update("WEB-3", { title: "Tests in the browser" }));
  await page.keyboard.press("Escape");
  await page.keyboard.press("h");
  await id("history").getByText("v5").waitFor();
  await id("history").getByText("v3").click();
  await id("history").getByText("Login form").first().waitFor();
  await expectAccessible(page, "version");
  await shoot("version");
  await id("history").getByRole("button", { name: "What changed since" }).click();
  await id("history").getByText("Tests in the browser").first().waitFor();
  await id("history").getByRole("button", { name: "The plan then" }).click();
  await expect.poll(() => id("history").locator("[data-testid=plan-tree]").innerText()).not.toContain("browser");
  await id("history").getByRole("button", { name: "All versions" }).click();
  await id("history").getByRole("button", { name: "Undo version 4" }).click();
  await page.getByText("Taken back: WEB is at version 6").waitFor();
  const tree = page.locator("[data-testid=plan-tree]");
  await expect.poll(() => tree.innerText()).toContain("Login form");
  expect(await tree.innerText()).toContain("Tests in the browser");
  await page.getByRole("button", { name: "Redo" }).click();
  await expect.poll(() => tree.innerText()).toContain("Sign-in and login form");
});

test("what cannot be taken back at once becomes a proposal with its conflict", async () => {
  await apply(update("WEB-3", { title: "First" }));
  await apply(update("WEB-3", { title: "Second" }));
  await page.keyboard.press("h");
  await id("history").getByRole("button", { name: "Undo version 8" }).click();
  await id("conflicts").waitFor();
  expect(await id("conflict").innerText()).toContain("Second");
  await id("conflict").getByRole("button", { name: "as proposed" }).click();
  await id("conflicts").waitFor({ state: "detached" });
  await id("accept-all").click();
  await expect.poll(() => page.locator("[data-testid=plan-tree]").innerText()).toContain("Tests in the browser");
});
