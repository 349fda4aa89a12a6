import { expect, test } from "vitest";
import { browser, expectAccessible, expectFits, id, onPhone, page, patchbay, setUp, welcome } from "./browser";

setUp();

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
  await onPhone(async (phone) => {
    const one = (name: string) => phone.locator(`[data-testid="${name}"]`);
    await phone.goto(patchbay.url);
    await one("composer").fill("Build a new sign-in flow. We need the schema, the form, and tests.");
    await one("composer").press("Enter");
    await one("accept-all").waitFor();
    await expectFits(phone, "the proposal");
    await expectAccessible(phone, "a proposal on a narrow screen");
    await one("accept-all").click();
    await phone.getByText("is at version 1").waitFor();
    await expectFits(phone, "the plan");
    for (const name of ["members", "keys", "webhooks", "account"]) {
      await phone.goto(`${patchbay.url}/settings/${name}`);
      await phone.getByRole("heading", { name: "Settings" }).waitFor();
      await expectFits(phone, name);
    }
  });
});
