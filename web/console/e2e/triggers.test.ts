import { beforeAll, expect, test } from "vitest";
import { expectGood, id, page, patchbay, setUp } from "./browser";

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB" });
});

test("where nothing follows from anything, the page says what could", async () => {
  await page.goto(`${patchbay.url}/automations/triggers`);
  await page.getByText("Nothing follows from anything yet").waitFor();
  await expectGood("triggers, none");
});

test("a trigger is tried on what has happened until it is right", async () => {
  await patchbay.api("/collab/events", { event: "build.failed", project: "WEB", details: { text: "no space" } });
  await page.getByRole("button", { name: "New trigger" }).click();
  const form = id("trigger");
  await form.getByLabel("Name", { exact: true }).fill("Red builds");
  await form.getByLabel("When", { exact: true }).fill("build.*");
  await form.getByLabel("And", { exact: true }).fill("details.text is 'no space'");
  await form.getByLabel("Of this template").fill("add {{ details.text }}");
  await form.getByLabel("Then it makes").selectOption("command");
  await form.getByLabel("In", { exact: true }).selectOption("WEB");
  await form.getByRole("button", { name: "Try it" }).click();
  await form.getByText("this is no filter").waitFor();
  await form.getByLabel("And", { exact: true }).fill("@.details.text == 'no space'");
  await form.getByRole("button", { name: "Try it" }).click();
  await id("tried").getByText('add "no space"').waitFor();
  await expectGood("trigger, tried");
  await form.getByRole("button", { name: "Add the trigger" }).click();
  await id("trigger-list").getByText("Red builds").waitFor();
});

test("it runs when it should, and its log says what became of it", async () => {
  await patchbay.api("/collab/events", { event: "build.failed", project: "WEB", details: { text: "no space" } });
  await page.getByRole("button", { name: /^Red builds/ }).press("Enter");
  await id("trigger-runs").getByText("submitted").waitFor();
  await expectGood("triggers");
});

test("a change is a version that stays, and one goes back to it", async () => {
  const more = async (item: string) => {
    await page.getByRole("button", { name: "More of Red builds" }).press("Enter");
    await page.getByRole("menuitem", { name: item }).click();
  };
  await more("Change");
  await id("trigger").getByLabel("Of this template").fill("add Look at {{ target }}");
  await id("trigger").getByRole("button", { name: "Make version 2" }).click();
  await id("trigger-line").getByText("version 2").first().waitFor();
  await more("Versions");
  await id("trigger-versions")
    .getByRole("button", { name: /^Version 1/ })
    .click();
  await expectGood("trigger, versions");
  await id("trigger-versions").getByRole("button", { name: "Go back to it: version 1" }).click();
  expect(await id("trigger").getByLabel("Of this template").inputValue()).toBe("add {{ details.text }}");
  await id("trigger").getByRole("button", { name: "Make version 3" }).click();
  await id("trigger-line").getByText("version 3").first().waitFor();
  await page.getByRole("button", { name: "Turn off: Red builds" }).click();
  await id("trigger-line").getByText("off", { exact: true }).waitFor();
  await more("Take away");
  await id("remove-trigger").getByRole("button", { name: "Take away" }).click();
  await page.getByText("Nothing follows from anything yet").waitFor();
});
