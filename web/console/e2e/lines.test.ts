import { beforeAll, expect, test } from "vitest";
import { expectFits, expectGood, id, onPhone, page, patchbay, setUp } from "./browser";

const LONG =
  "Design the schema for accounts, sessions and audit, with a migration that the release before still runs on";

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB" });
  const create = (task_id: string, title: string) => ({ op: "create", task_id, body: { title, priority: "P2" } });
  await apply(...["Schema", "Form", "Tests"].map((title) => create(title, title)));
  // So many that none shows its details unasked.
  await propose(
    update("WEB-1", { title: LONG, priority: "P1" }),
    ...Array.from({ length: 8 }, (_, index) => create(`t${index}`, `Step ${index}`)),
  );
  await propose(update("WEB-2", { title: "Sign-in form" }));
  await apply(update("WEB-2", { title: "Form for signing in" }));
  await patchbay.api("/proposals/2/rebase", {});
});

const update = (task: string, body: object) => ({ op: "update", task_id: task, body });
const apply = (...tasks: object[]) => patchbay.api("/projects/WEB/patches", { mode: "apply", patch: { tasks } });
const propose = (...tasks: object[]) => patchbay.api("/projects/WEB/patches", { patch: { tasks } });

test("a proposal of which nothing is left but what is to be settled says so, here and in the list", async () => {
  await page.goto(`${patchbay.url}/proposals`);
  await id("proposal-list").getByText("1 to settle").waitFor();
  await expectGood("lines, reviews");
  await page.goto(`${patchbay.url}/proposals/2`);
  await page.getByText("Nothing else is in it").waitFor();
  await expectGood("lines, only conflicts");
});

test("a key shows what changes in a line, and hides it again", async () => {
  await page.goto(`${patchbay.url}/proposals/1`);
  await id("op-1").waitFor();
  await page.keyboard.press("j");
  expect(await id("op-1").getByText("Priority", { exact: true }).count()).toBe(0);
  await page.keyboard.press("d");
  await id("op-1").getByText("Priority", { exact: true }).waitFor();
  await page.keyboard.press("d");
  await id("op-1").getByText("Priority", { exact: true }).waitFor({ state: "detached" });
});

test("on a phone a change is read to its end, and a link to a task opens it", async () => {
  await onPhone(async (phone) => {
    await phone.goto(`${patchbay.url}/proposals/1`);
    const title = phone.locator('[data-testid="op-1"] button').filter({ hasText: "Design the schema" });
    await title.waitFor();
    expect(await title.evaluate((shown) => shown.scrollHeight - shown.clientHeight)).toBeLessThanOrEqual(1);
    await expectFits(phone, "lines, a change");
    await phone.goto(`${patchbay.url}/p/WEB?task=WEB-3`);
    await phone.getByRole("heading", { name: "Tests" }).waitFor();
    await phone.goto(`${patchbay.url}/settings/account`);
    await phone.getByRole("link", { name: "Account" }).waitFor();
    await expect
      .poll(() =>
        phone
          .getByRole("link", { name: "Account" })
          .evaluate((tab) => tab.getBoundingClientRect().right <= window.innerWidth),
      )
      .toBe(true);
  });
});

test("every page is found by typing", async () => {
  await page.goto(`${patchbay.url}/`);
  await page.getByRole("button", { name: "Go to anything" }).click();
  await page.getByPlaceholder("Go to a project").fill("webhooks");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Out" }).waitFor();
});
