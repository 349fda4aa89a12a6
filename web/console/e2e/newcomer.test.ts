import type { WebSocketRoute } from "playwright-core";
import { expect, test } from "vitest";
import { expectAccessible, id, page, patchbay, setUp } from "./browser";

let link: string;
const faults: string[] = [];

setUp(async (given) => {
  link = given;
  page.on("pageerror", (error) => faults.push(error.message));
  await page.routeWebSocket(/\/api\/v1\/ws$/, relay);
});

/** The ids of the messages that went to the server, and whether the next one loses its connection on the way. */
const sent: string[] = [];
let cutNext = false;
/** Between page and server; a cut takes the connection when the server has the message and before the page knows. */
function relay(page: WebSocketRoute) {
  const server = page.connectToServer();
  let isCut = false;
  page.onMessage((message) => {
    const frame = JSON.parse(String(message));
    server.send(message);
    if (frame.type !== "command") return;
    sent.push(frame.id);
    if (!cutNext) return;
    cutNext = false;
    isCut = true;
  });
  server.onMessage((message) => {
    if (!isCut) page.send(message);
    // The server's first word on the message is lost with the connection.
    else void Promise.all([server.close(), page.close({ code: 1012 })]);
  });
}

const say = async (text: string) => {
  await id("composer").fill(text);
  await page.keyboard.press("Enter");
};
/** The lines of the plan as people read them. */
const lines = () =>
  page
    .locator("[data-testid=plan-tree] [role=row]")
    .evaluateAll((rows) =>
      rows.map(
        (row) =>
          `${row.getAttribute("data-change") ?? "plain"} ${row.querySelector("button.min-w-0")?.textContent ?? ""}`,
      ),
    );
const until = async <T>(read: () => Promise<T>, expected: T) =>
  expect.poll(read, { timeout: 15_000 }).toEqual(expected);
/** A key for the page, not for a field. */
const press = async (key: string) => {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press(key);
};

test("a newcomer opens the printed link and chooses how to sign in", async () => {
  await page.goto(link);
  await id("welcome-form").waitFor();
  await expectAccessible(page, "welcome");
  await page.fill("[name=name]", "Ana");
  await page.fill("[name=email]", "ana@example.com");
  await page.fill("[name=password]", "short");
  await page.click("button[type=submit]");
  await page.getByText("at least 10 characters").first().waitFor();
  await page.fill("[name=password]", "correct horse battery");
  await page.click("button[type=submit]");
  await page.getByRole("heading", { name: "What do you want to achieve?" }).waitFor();
  await expectAccessible(page, "first page");
});

test("what they want to achieve comes as a proposal, and is refined by talking", async () => {
  await say("Build a new sign-in flow. We need the schema, the form, password reset by mail, and tests.");
  await id("accept-all").waitFor();
  await until(lines, ["created Schema", "created Form", "created Password reset by mail", "created Tests"]);
  await expectAccessible(page, "proposal");
  await say("combine the first two, and add documentation after the tests");
  await until(lines, [
    "created Schema and form",
    "created Password reset by mail",
    "created Tests",
    "created Documentation",
  ]);
  await until(() => id("refined").count(), 2);
});

test("one key accepts it, and the lines turn solid", async () => {
  await press("a");
  await page.waitForURL("**/p/SIGN");
  await until(lines, ["plain Schema and form", "plain Password reset by mail", "plain Tests", "plain Documentation"]);
  await page.getByText("SIGN is at version 1").first().waitFor();
});

test("a task is broken down in its own conversation, and part of that is accepted", async () => {
  await page.getByRole("button", { name: "Schema and form" }).click();
  await id("task-panel").waitFor();
  await say("break this down");
  await id("choose-2").waitFor();
  await page.getByLabel("Close toast").click();
  await page.locator("[data-sonner-toast]").waitFor({ state: "detached" });
  await page.screenshot({ path: "../../docs/images/console.png" });
  await page.evaluate(() => {
    document.documentElement.dataset.theme = "dark";
  });
  await page.screenshot({ path: "../../docs/images/console-dark.png" });
  await expectAccessible(page, "task");
  await id("choose-2").uncheck();
  await id("accept-chosen").click();
  await until(lines, [
    "plain Schema and form",
    "plain Write down the data and its rules",
    "plain Test it with sample rows",
    "plain Password reset by mail",
    "plain Tests",
    "plain Documentation",
  ]);
});

test("what was accepted is undone with a key", async () => {
  await press("Escape");
  await press("u");
  await until(lines, ["plain Schema and form", "plain Password reset by mail", "plain Tests", "plain Documentation"]);
  await press("h");
  await id("history").getByText("Took back version 2").waitFor();
  await expectAccessible(page, "history");
  await page.keyboard.press("Escape");
});

test("a message written without a connection goes out once when it is back", async () => {
  await patchbay.stop("SIGKILL");
  await id("offline").waitFor();
  await say("add a task for monitoring");
  await page.getByText("Waiting for the connection").waitFor();
  await patchbay.start();
  await until(lines, [
    "plain Schema and form",
    "plain Password reset by mail",
    "plain Tests",
    "plain Documentation",
    "created Monitoring",
  ]);
  await until(() => id("message").getByText("add a task for monitoring", { exact: true }).count(), 1);
});

test("everything is still there after a restart and a reload", async () => {
  await page.reload();
  await until(lines, [
    "plain Schema and form",
    "plain Password reset by mail",
    "plain Tests",
    "plain Documentation",
    "created Monitoring",
  ]);
  await until(() => id("message").getByText("add a task for monitoring", { exact: true }).count(), 1);
  await id("reject").click();
  await page.getByLabel("Reason").fill("Not now");
  await expectAccessible(page, "reject");
  await id("reject-dialog").getByRole("button", { name: "Reject" }).click();
  await until(lines, ["plain Schema and form", "plain Password reset by mail", "plain Tests", "plain Documentation"]);
});

test("a message whose connection is lost on the way acts once", async () => {
  const before = sent.length;
  cutNext = true;
  await say("add a task for alerts");
  await until(lines, [
    "plain Schema and form",
    "plain Password reset by mail",
    "plain Tests",
    "plain Documentation",
    "created Alerts",
  ]);
  await until(() => id("message").getByText("add a task for alerts", { exact: true }).count(), 1);
  const ids = sent.slice(before);
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids).size).toBe(1);
});

test("the other pages can be read and left by everybody", async () => {
  await page.getByRole("link", { name: "Reviews" }).click();
  await id("proposal-list").first().waitFor();
  await expectAccessible(page, "reviews");
  await id("proposal-list").getByRole("link").filter({ hasText: "monitoring" }).click();
  await page.getByText("Not now").waitFor();
  await expectAccessible(page, "decided proposal");
  await page.getByRole("link", { name: "Projects" }).click();
  await id("project-list").waitFor();
  await expectAccessible(page, "projects");
  await press("?");
  await id("help").waitFor();
  await expectAccessible(page, "help");
  await page.keyboard.press("Escape");
});

test("signing out and in again", async () => {
  await page.getByRole("button", { name: "Ana" }).click();
  await page.getByRole("menuitem", { name: "Sign out", exact: true }).click();
  await id("sign-in-form").waitFor();
  await expectAccessible(page, "sign-in");
  await page.fill("[name=email]", "ana@example.com");
  await page.fill("[name=password]", "wrong password here");
  await page.click("button[type=submit]");
  await page.getByText("do not match").waitFor();
  await page.fill("[name=password]", "correct horse battery");
  await page.click("button[type=submit]");
  await id("project-list").waitFor();
  expect(faults).toEqual([]);
});
