import { beforeAll, expect, test } from "vitest";
import { expectGood, id, page, patchbay, setUp } from "./browser";

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB" });
});

test("where nothing runs by itself, the page says what could", async () => {
  await page.goto(`${patchbay.url}/automations/schedules`);
  await page.getByText("Nothing runs by itself yet").waitFor();
  await expectGood("schedules, none");
});

test("a rule shows its next times while it is written, and what is wrong with it", async () => {
  await page.getByRole("button", { name: "New schedule" }).click();
  const form = id("schedule");
  await form.getByLabel("When").fill("every blue moon");
  await form.getByText("this is no time that I can read").waitFor();
  await form.getByLabel("When").fill("every weekday 9:00");
  await form.getByLabel("On the clock of").selectOption("Europe/Paris");
  await expect.poll(() => id("times").locator("li").count()).toBe(5);
  await expect.poll(() => id("times").innerText()).toContain("09:00");
  await form.getByLabel("Command", { exact: true }).fill("list overdue");
  await form.getByLabel("Project").selectOption("WEB");
  await form.getByLabel("Times that were missed").selectOption("catch_up");
  await form.getByLabel("The newest so many of them").fill("3");
  await expectGood("schedules, new");
  await form.getByRole("button", { name: "Make the schedule" }).click();
  await id("schedule-list").getByText("list overdue").first().waitFor();
});

test("a job is scheduled by the tool's own fields, and its runs are told", async () => {
  await page.getByRole("button", { name: "New schedule" }).click();
  const form = id("schedule");
  await form.getByRole("button", { name: "Recurrence" }).click();
  await expect.poll(() => id("times").innerText()).toContain("4 Jan 2027");
  await form.getByLabel("When").fill("* * * * * *");
  await form.getByRole("radio", { name: "A job" }).check({ force: true });
  await form.getByLabel("Tool").selectOption("changelog");
  await form.getByLabel("Name").fill("What changed");
  await form.getByLabel("From").fill("-1");
  await form.getByRole("button", { name: "Make the schedule" }).click();
  await form.getByText("-1 is less than the minimum of 0").waitFor();
  await form.getByLabel("From").fill("");
  await form.getByRole("button", { name: "Make the schedule" }).click();
  const line = id("schedule-line").filter({ hasText: "What changed" });
  await line.getByRole("button", { name: /^What changed/ }).click();
  await line.getByRole("link", { name: "its job" }).first().waitFor();
  await line.getByRole("button", { name: "Pause What changed" }).click();
  await line.getByText("paused").waitFor();
  await id("schedule-line")
    .filter({ hasText: "list overdue" })
    .getByRole("button", { name: /list overdue/ })
    .first()
    .press("Enter");
  await page.getByText("Next times, Europe/Paris").waitFor();
  await expectGood("schedules");
});

test("a schedule is changed while it runs, and dropped", async () => {
  await page.getByRole("button", { name: "Resume What changed" }).click();
  await page.getByRole("button", { name: "Pause What changed" }).waitFor();
  await page.getByRole("button", { name: "More of What changed" }).press("Enter");
  await page.getByRole("menuitem", { name: "Change" }).click();
  expect(await id("schedule").getByLabel("Tool").inputValue()).toBe("changelog");
  await id("schedule").getByLabel("When").fill("0 9 1 * *");
  await id("schedule").getByRole("button", { name: "Change the schedule" }).click();
  await id("schedule").waitFor({ state: "detached" });
  await id("schedule-list").getByText("0 9 1 * *").waitFor();
  await page.getByRole("button", { name: "More of What changed" }).press("Enter");
  await page.getByRole("menuitem", { name: "Drop" }).click();
  await id("drop-schedule").getByRole("button", { name: "Drop" }).click();
  await id("schedule-list").getByText("What changed").waitFor({ state: "detached" });
});
