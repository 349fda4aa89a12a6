import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { expectAccessible, expectGood, id, page, patchbay, setUp } from "./browser";

setUp();

test("a source is added, delivers, and its template is tried until it is right", async () => {
  await page.goto(`${patchbay.url}/settings/webhooks`);
  await page.getByRole("button", { name: "Add a source" }).click();
  await id("add-source").getByLabel("Name").fill("GitHub");
  await expectAccessible(page, "add a source");
  await page.keyboard.press("Enter");
  const url = await id("add-source").getByLabel("URL").inputValue();
  const secret = await id("add-source").getByLabel("Secret").inputValue();
  await id("add-source").getByRole("button", { name: "Done" }).click();

  const body = JSON.stringify({ action: "opened", issue: { title: "Pay by card", number: 7 } });
  const delivered = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "x-github-event": "issues",
      "x-github-delivery": "1",
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
    },
  });
  expect(delivered.status).toBe(202);
  await id("source")
    .getByRole("button", { name: /^GitHub/ })
    .click();
  await id("deliveries").getByText("issues.opened").waitFor();
  await id("deliveries").getByText("failed").waitFor();
  await id("deliveries").getByText("something that is not there").waitFor();
  await expectAccessible(page, "a delivery");

  await id("deliveries")
    .getByRole("button", { name: /^Try the delivery/ })
    .click();
  await id("try-source").getByLabel("Filter").fill("@.event == 'issues.opened'");
  await id("try-source").getByLabel("Template").fill("- {{ payload.issue.title }} (#{{ payload.issue.number }})");
  await id("try-source").getByRole("button", { name: "Try", exact: true }).click();
  await id("tried").getByText("- Pay by card (#7)").waitFor();
  await expectAccessible(page, "a try");
  await id("try-source").getByLabel("Filter").fill("event is opened");
  await id("try-source").getByRole("button", { name: "Keep it so" }).click();
  await id("try-source").getByText("this is no filter").waitFor();
  await id("try-source").getByLabel("Filter").fill("");
  await id("try-source").getByRole("button", { name: "Keep it so" }).click();
  await id("try-source").waitFor({ state: "detached" });
});

test("an endpoint is added and switched off, and a private address is refused where it was typed", async () => {
  await page.goto(`${patchbay.url}/settings/webhooks`);
  await page.getByRole("button", { name: "Add an endpoint" }).click();
  await id("add-endpoint").getByLabel("URL").fill("https://127.0.0.1/hook");
  await page.keyboard.press("Enter");
  await id("add-endpoint").getByText("127.0.0.1 is a private address").waitFor();
  await id("add-endpoint").getByLabel("URL").fill("https://patchbay.invalid/hook");
  await id("add-endpoint").getByLabel("Events").fill("proposal.*, project.changed");
  await page.keyboard.press("Enter");
  expect(await id("add-endpoint").getByLabel("Secret").inputValue()).toMatch(/^whsec_/);
  await id("add-endpoint").getByRole("button", { name: "Done" }).click();
  await id("endpoint").getByText("proposal.*, project.changed").waitFor();
  await page.getByRole("button", { name: "Turn off: https://patchbay.invalid/hook" }).click();
  await id("endpoint").getByText("off", { exact: true }).waitFor();
  await expectAccessible(page, "webhooks");
});

test("a source and an endpoint get a new secret, beside which the one before counts for a while", async () => {
  for (const name of ["GitHub", "https://patchbay.invalid/hook"]) {
    await page.getByRole("button", { name: `New secret: ${name}` }).click();
    await id("rotate").getByRole("button", { name: "Make a new secret" }).click();
    expect(await id("rotate").getByLabel("Secret").inputValue()).not.toBe("");
    await expectGood(`new secret of ${name.replace(/\W+/g, " ").trim()}`);
    await id("rotate").getByRole("button", { name: "Done" }).click();
  }
  await id("source")
    .getByRole("button", { name: /^GitHub/ })
    .click();
  await id("source").getByText("Its secrets end in").waitFor();
  await expectGood("webhooks");
});
