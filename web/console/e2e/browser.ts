import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { Patchbay } from "./patchbay";

/** The Patchbay, the browser and the page of a test file, there between {@link setUp} and its end. */
export const patchbay = new Patchbay();
export let browser: Browser;
export let page: Page;

/** What the page has under a test id. */
export const id = (name: string) => page.locator(`[data-testid="${name}"]`);

/** Sets a test file up with an empty Patchbay and a page. `begin` gets the one-time link; where there is none Ana, the owner, comes in by it. */
export function setUp(begin: (link: string) => Promise<void> = (link) => welcome(page, link, "Ana")) {
  beforeAll(async () => {
    const link = await patchbay.start();
    browser = await launch();
    page = await browser.newPage({ viewport: WIDE });
    await begin(link);
  });
  afterAll(async () => {
    await browser?.close();
    await patchbay.end();
  });
}

const WIDE = { width: 1360, height: 850 };
const NARROW = { width: 390, height: 844 };
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The Chromium of this machine. */
function launch(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? NAMES.map(find).find((path) => path !== null) ?? undefined;
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

function find(name: string): string | null {
  try {
    const path = execFileSync("which", [name], { encoding: "utf8" }).trim();
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/** Follows a one-time link and chooses how to sign in. */
export async function welcome(page: Page, link: string, name: string) {
  await page.goto(link);
  await page.locator('[data-testid="welcome-form"]').waitFor();
  await page.fill("[name=name]", name);
  await page.fill("[name=email]", `${name.toLowerCase()}@example.com`);
  await page.fill("[name=password]", "correct horse battery");
  await page.click("button[type=submit]");
  await page.getByText("What do you want to achieve?").first().waitFor();
}

const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");

/** Nothing serious that a screen reader or a keyboard would stumble over, light and dark. */
export async function expectAccessible(page: Page, name: string) {
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await page.evaluate(axe);
    const results = await page.evaluate(() =>
      (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
    );
    const serious = results.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
    expect(serious, `${name}, ${theme}`).toEqual([]);
  }
  await wear(page, "light");
}

/** Puts the page into a theme, without the transitions between. */
async function wear(page: Page, theme: string) {
  await page.evaluate((chosen) => {
    document.documentElement.dataset.theme = chosen;
    for (const animation of document.getAnimations()) animation.cancel();
  }, theme);
}

/** On a narrow screen: the same member on a phone. */
export async function onPhone(act: (phone: Page) => Promise<void>) {
  const context = await browser.newContext({ storageState: await page.context().storageState(), viewport: NARROW });
  await act(await context.newPage());
  await context.close();
}

/** Nothing sticks out to the side. */
export async function expectFits(page: Page, name: string) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(over, `${name} sticks out`).toBeLessThanOrEqual(0);
}

/** What is shown can be used in both themes, and on a narrow screen too. */
export async function expectGood(name: string) {
  await shoot(name);
  await expectAccessible(page, name);
  await page.setViewportSize(NARROW);
  await expectFits(page, name);
  await expectAccessible(page, `${name}, narrow`);
  await shoot(`${name}, narrow`);
  await page.setViewportSize(WIDE);
}

/** Keeps pictures of the page, light and dark, where `SHOTS` names a folder. */
export async function shoot(name: string) {
  if (!process.env.SHOTS) return;
  for (const theme of ["light", "dark"]) {
    await wear(page, theme);
    await page.screenshot({ path: `${process.env.SHOTS}/${name}, ${theme}.png` });
  }
}
