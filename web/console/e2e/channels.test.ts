import { expect, test } from "vitest";
import { browser, expectAccessible, id, page, patchbay, setUp } from "./browser";

setUp();

test("an admin sees the channels and says how much one takes", async () => {
  await page.goto(`${patchbay.url}/settings/channels`);
  await page.getByRole("button", { name: "Settings of Slack" }).waitFor();
  await expectAccessible(page, "channels");
  await page.getByRole("button", { name: "Settings of Slack" }).click();
  const limit = id("channel-settings").getByLabel("Messages a minute from one person");
  await limit.fill("7");
  await expectAccessible(page, "channel settings");
  await page.keyboard.press("Enter");
  await id("channel-list").getByText("7 messages a minute from one person").waitFor();
});

test("what could not be read is listed with the reason, and discarded", async () => {
  await page.goto(`${patchbay.url}/settings/channels`);
  await page.getByText("Everything could be read").waitFor();

  // Only a platform that signs leaves something behind; here the answer is written down instead.
  const kept = [
    {
      id: "019aa2b0-0000-7000-8000-000000000001",
      channel: "slack",
      error: "the body is no event as Slack sends it: EOF while parsing an object at line 1 column 96",
      body: '{"token":"[removed]","type":"event_callback","team_id":"T0TEAM","event":{',
      size_bytes: 96,
      times: 3,
      first_at: new Date().toISOString(),
      last_at: new Date().toISOString(),
    },
  ];
  await page.route("**/api/v1/channels/slack/malformed", (route) =>
    route.fulfill({ json: { data: kept, meta: { next_cursor: null } } }),
  );
  await page.route("**/api/v1/channels/slack/malformed/*", (route) => {
    kept.length = 0;
    return route.fulfill({ status: 204 });
  });
  await page.route("**/api/v1/channels", async (route) => {
    const response = await route.fetch();
    const channels = await response.json();
    for (const channel of channels.data) {
      channel.is_connected = true;
      channel.used = { last_minute: 12, busiest_sender: 7, turned_away: 2 };
    }
    return route.fulfill({ json: channels });
  });
  await page.reload();
  await id("channel-use").first().getByText("12 of 600 from all, 7 of 7 from the busiest person").waitFor();
  await id("channel-list").getByText("at its limit").waitFor();
  const line = id("malformed-list").getByRole("listitem");
  await line.getByText("3 times").waitFor();
  await line.getByText("Body", { exact: true }).click();
  await line.getByText('"token":"[removed]"').waitFor();
  await expectAccessible(page, "malformed");
  await line.getByRole("button", { name: /^Discard what Slack sent/ }).click();
  await page.getByText("Everything could be read").waitFor();
  await page.unrouteAll();
});

test("who wants to be known elsewhere gets a code, and a code that nobody made pairs nobody", async () => {
  await page.getByRole("button", { name: "Link a channel" }).click();
  const said = await id("link-code").getByLabel("Your code").inputValue();
  expect(said).toMatch(/^link [A-Z0-9]{4}-[A-Z0-9]{4}$/);
  await expectAccessible(page, "link code");
  await id("link-code").getByRole("button", { name: "Done" }).click();

  // A code that a member made is said on a channel; here it pairs nobody.
  await page.goto(`${patchbay.url}/link?code=${said.slice(5)}`);
  await expectAccessible(page, "link");
  await page.getByRole("button", { name: "Yes, it was me" }).click();
  await page.getByText("There is no such code any more").or(page.getByText("there is no such code any more")).waitFor();
});

test("who is not signed in comes back to the link after signing in", async () => {
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(`${patchbay.url}/link?code=AAAA-BBBB`);
  await other.getByLabel("E-mail").fill("ana@example.com");
  await other.getByLabel("Password").fill("correct horse battery");
  await other.keyboard.press("Enter");
  await other.getByText("AAAA-BBBB").waitFor();
  await context.close();
});

test("where nothing was done in the background, the page says so", async () => {
  await page.goto(`${patchbay.url}/settings/work`);
  await page.getByText("Nothing has been done in the background yet").waitFor();
  await page.getByText("Given up", { exact: true }).click();
  await page.getByText("Nothing was given up").waitFor();
  await expectAccessible(page, "work");
});
