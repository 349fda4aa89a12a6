import { expect, test } from "vitest";
import { expectAccessible, id, page, patchbay, setUp } from "./browser";

setUp();

test("an admin writes a rule, sees what it would have done, and puts it in place", async () => {
  await page.goto(`${patchbay.url}/settings/policies`);
  await id("rule-list").getByText("A proposal that removes a task needs an approval").waitFor();
  await expectAccessible(page, "policies");
  await page.getByRole("button", { name: "Add a rule" }).click();
  await id("rule").getByLabel("Name").fill("Four eyes");
  await id("rule").getByLabel("Approvals").fill("2");
  await id("rule").getByLabel("Expires after so many days").fill("30");
  await id("rule").getByText("Every proposal needs 2 approvals; expires after 30 days.").waitFor();
  await expectAccessible(page, "a rule");
  await page.keyboard.press("Enter");
  await id("unsaved-rules").getByText("Nothing has changed yet").waitFor();
  await expectAccessible(page, "unsaved rules");
  await id("unsaved-rules").getByRole("button", { name: "See what it would do" }).click();
  await id("review-rules").getByText("None of 0 would have gone otherwise.").waitFor();
  await id("review-rules").getByLabel("Why").fill("as agreed on Monday");
  await expectAccessible(page, "what rules would do");
  await page.keyboard.press("Enter");
  await page.getByText("Version 1, by Ana").waitFor();
  await page.reload();
  await id("rule-list").getByText("Four eyes").waitFor();
  expect(await id("unsaved-rules").count()).toBe(0);
});

test("a rule that has the name of another is not taken, and one can be taken away", async () => {
  await page.getByRole("button", { name: "Change Four eyes" }).click();
  await id("rule").getByLabel("Name").fill("removes tasks");
  await page.keyboard.press("Enter");
  await id("rule").getByText("Another rule has this name").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Take away Four eyes" }).click();
  await id("unsaved-rules").getByRole("button", { name: "Discard" }).click();
  await id("rule-list").getByText("Four eyes").waitFor();
});
