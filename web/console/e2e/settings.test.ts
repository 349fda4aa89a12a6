import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectAccessible, launch, welcome } from "./browser";
import { Patchbay } from "./patchbay";

const patchbay = new Patchbay();
let browser: Browser;
let page: Page;

beforeAll(async () => {
  const link = await patchbay.start();
  browser = await launch();
  page = await browser.newPage({ viewport: { width: 1360, height: 850 } });
  await welcome(page, link, "Ana");
});
afterAll(async () => {
  await browser?.close();
  await patchbay.end();
});

const id = (name: string) => page.locator(`[data-testid="${name}"]`);

test("a member is added, comes in by the link, and may do what their role allows", async () => {
  await page.goto(`${patchbay.url}/settings/members`);
  await page.getByRole("button", { name: "Add a member" }).click();
  await expectAccessible(page, "add member");
  await id("add-member").getByLabel("Name").fill("Bo");
  await id("add-member").getByLabel("E-mail").fill("bo@example.com");
  await id("add-member").getByLabel("Role").selectOption("viewer");
  await page.keyboard.press("Enter");
  const link = await id("add-member").getByLabel("Sign-in link").inputValue();
  expect(link).toContain("/welcome?t=");
  await id("add-member").getByRole("button", { name: "Done" }).click();
  await id("member-bo").waitFor();
  await expectAccessible(page, "members");

  const theirs = await browser.newContext();
  const other = await theirs.newPage();
  await welcome(other, link, "Bo");
  await other.goto(`${patchbay.url}/settings/members`);
  await other.locator('[data-testid="member-list"]').waitFor();
  expect(await other.getByRole("button", { name: "Add a member" }).count()).toBe(0);
  await theirs.close();
});

test("a key is shown once, opens the API, and after it was revoked does not", async () => {
  await page.goto(`${patchbay.url}/settings/keys`);
  await page.getByRole("button", { name: "Make a key" }).click();
  await id("create-key").getByLabel("Name").fill("Nightly report");
  await page.keyboard.press("Enter");
  const secret = await id("create-key").getByLabel("Secret").inputValue();
  const ask = async () =>
    (await fetch(`${patchbay.url}/api/v1/projects`, { headers: { authorization: `Bearer ${secret}` } })).status;
  expect(await ask()).toBe(200);
  await expectAccessible(page, "a new key");
  await id("create-key").getByRole("button", { name: "Done" }).click();
  await id("key-list").getByText("Nightly report").waitFor();
  expect(await page.content()).not.toContain(secret);

  await page.getByRole("button", { name: "Revoke Nightly report" }).click();
  await id("revoke-key").getByRole("button", { name: "Revoke" }).click();
  await id("key-list").getByText("Nightly report").waitFor({ state: "detached" });
  expect(await ask()).toBe(401);
});

test("on a narrow screen a goal is written, seen as a diff and accepted, and nothing sticks out", async () => {
  const context = await browser.newContext({
    ...(await page
      .context()
      .storageState()
      .then((storageState) => ({ storageState }))),
    viewport: { width: 390, height: 844 },
  });
  const phone = await context.newPage();
  const fits = async (what: string) =>
    expect(await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth), what).toBeLessThanOrEqual(0);
  const one = (name: string) => phone.locator(`[data-testid="${name}"]`);
  await phone.goto(patchbay.url);
  await one("composer").fill("Build a new sign-in flow. We need the schema, the form, and tests.");
  await one("composer").press("Enter");
  await one("accept-all").waitFor();
  await fits("the proposal");
  await expectAccessible(phone, "a proposal on a narrow screen");
  await one("accept-all").click();
  await phone.getByText("is at version 1").waitFor();
  await fits("the plan");
  for (const name of ["members", "keys", "webhooks", "account"]) {
    await phone.goto(`${patchbay.url}/settings/${name}`);
    await phone.getByRole("heading", { name: "Settings" }).waitFor();
    await fits(name);
  }
  await context.close();
});
