import { beforeAll, expect, test } from "vitest";
import { expectGood, id, page, patchbay, setUp } from "./browser";

setUp();
beforeAll(async () => {
  await patchbay.api("/projects", { title: "Website", key: "WEB" });
});

const tell = (event: string, more: object = {}) => patchbay.api("/collab/events", { event, ...more });

test("what happens appears while one looks, and what happened before stands below", async () => {
  await page.goto(`${patchbay.url}/activity`);
  await id("events").getByText("project created").first().waitFor();
  await id("tail").getByText("Live").waitFor();
  await tell("build.failed", { project: "WEB", details: { text: "no space left" } });
  await id("live-events").getByText("build failed").waitFor();
  await id("live-events")
    .getByRole("button", { name: /build failed/ })
    .press("Enter");
  await id("live-events").getByText("no space left").waitFor();
  await expectGood("activity");
});

test("who pauses reads in peace, and misses nothing", async () => {
  await page.getByRole("button", { name: "Pause" }).click();
  await tell("build.started");
  await page.getByRole("button", { name: "Go on: 1 more" }).click();
  await id("live-events").getByText("build started").waitFor();
});

test("events are chosen by kind, and who comes by the address sees the same", async () => {
  await page.getByLabel("Kind").fill("build.failed");
  await expect.poll(() => page.url()).toContain("event=build.failed");
  await expect.poll(() => id("event").count()).toBe(1);
  await page.reload();
  await expect.poll(() => id("event").count()).toBe(1);
  await tell("build.started");
  await tell("build.failed", { details: { text: "again" } });
  await expect.poll(() => id("event").count()).toBe(2);
  await page.getByLabel("Kind").fill("nothing");
  await page.getByText("Nothing like that has happened").waitFor();
  await expectGood("activity, none");
  await page.getByLabel("Kind").fill("build");
  await expect.poll(() => id("event").count()).toBe(4);
});

test("the chosen events are an account for people", async () => {
  await page.getByRole("button", { name: "As a log" }).click();
  await id("log").getByText("What happened").waitFor();
  await expectGood("activity as a log");
  const download = page.waitForEvent("download");
  await id("log").getByRole("button", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toBe("log.md");
  await page.keyboard.press("Escape");
});

test("an admin looks up who did what", async () => {
  await patchbay.api("/keys", { name: "Nightly", scopes: ["read"] });
  await page.getByRole("link", { name: "Audit trail" }).click();
  await id("audit").getByText("key.created").first().waitFor();
  await page.getByLabel("Action").fill("key");
  await expect.poll(() => page.url()).toContain("action=key");
  await expect.poll(() => id("audit").getByText("project.created").count()).toBe(0);
  await id("audit").getByRole("button").first().press("Enter");
  await id("audit").getByText('"name": "Nightly"').waitFor();
  await expectGood("audit trail");
  await page.getByLabel("Action").fill("nothing");
  await page.getByText("Nobody has done that").waitFor();
});
