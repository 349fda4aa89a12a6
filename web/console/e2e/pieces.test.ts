import { expect, test } from "vitest";
import { expectGood, id, page, patchbay, setUp } from "./browser";

setUp();

test("a page whose piece is gone says so where it would stand, and a reload brings it", async () => {
  // As after a release: what the open page knows by name is not there any more.
  await page.route(/\/assets\/settings-pages-/, (route) => route.fulfill({ status: 404 }));
  await page.goto(`${patchbay.url}/new`);
  await id("composer").fill("Build a new sign-in flow");
  await page.getByRole("link", { name: "Settings" }).click();
  await id("piece-missing").getByText("This page could not be loaded").waitFor();
  await page.getByRole("link", { name: "Projects", exact: true }).waitFor();
  await expectGood("pieces, missing");
  await page.unroute(/\/assets\/settings-pages-/);
  await id("piece-missing").getByRole("button", { name: "Reload" }).click();
  await page.getByRole("heading", { name: "Members" }).waitFor();
  await page.goto(`${patchbay.url}/new`);
  expect(await id("composer").inputValue()).toBe("Build a new sign-in flow");
});

test("the other pages come while nothing else happens", async () => {
  const came: string[] = [];
  page.on("response", (response) => came.push(response.url()));
  await page.goto(`${patchbay.url}/new`);
  await expect.poll(() => came.some((url) => url.includes("/assets/studio-pages-")), { timeout: 15_000 }).toBe(true);
});
