import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { AxeResults } from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The Chromium of this machine. */
export function launch(): Promise<Browser> {
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
    await page.evaluate((chosen) => {
      document.documentElement.dataset.theme = chosen;
    }, theme);
    await page.evaluate(axe);
    const results = await page.evaluate(async () => {
      for (const animation of document.getAnimations()) animation.cancel();
      return (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run();
    });
    const serious = results.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
    expect(serious, `${name}, ${theme}`).toEqual([]);
  }
  await page.evaluate(() => {
    document.documentElement.dataset.theme = "light";
  });
}
