import { expect, test } from "vitest";
import { expectAccessible, id, page, patchbay, setUp } from "./browser";

setUp();

test("where nobody was asked for, the page says so", async () => {
  await page.goto(`${patchbay.url}/notifications`);
  await page.getByText("Nobody has asked for you yet").waitFor();
  await expectAccessible(page, "notifications, none");
});

test("how somebody is told is set, and wrong hours are said at their field", async () => {
  await page.goto(`${patchbay.url}/settings/account`);
  const form = id("notification-preferences");
  await form.getByLabel("A review is wanted from me").selectOption("off");
  await form.getByLabel("Quiet from").fill("22:00");
  await form.getByLabel("Quiet to").fill("22:00");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").first().waitFor();
  await form.getByLabel("Quiet to").fill("07:00");
  await form.getByLabel("Projects to hear everything of").fill("web");
  await form.getByRole("button", { name: "Save" }).click();
  await page.getByText("That is how you are told.").waitFor();
  await expectAccessible(page, "notification preferences");
  await page.reload();
  expect(await form.getByLabel("A review is wanted from me").inputValue()).toBe("off");
  expect(await form.getByLabel("Quiet to").inputValue()).toBe("07:00");
  expect(await form.getByLabel("Projects to hear everything of").inputValue()).toBe("WEB");
});
