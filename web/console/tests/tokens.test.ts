import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync("src/shared/styles/tokens.css", "utf8");

function tokens(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`), css.indexOf("}", css.indexOf(`${selector} {`)));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]),
  );
}

/** Relative luminance and contrast, as WCAG 2.1 has them. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const PAIRS = [
  ...["ink", "ink-soft", "ink-mute"].flatMap((ink) =>
    ["ground", "surface", "raised", "sunken", "hover", "selected"].map((ground) => [ink, ground]),
  ),
  ...["added", "changed", "removed", "moved"].flatMap((kind) => [
    [`${kind}-ink`, kind],
    ["ink", kind],
    ["ink-soft", kind],
  ]),
  ["added-ink", "added-strong"],
  ["removed-ink", "removed-strong"],
  ["accent-ink", "accent-soft"],
  ["accent-ink", "surface"],
  ["on-accent", "accent"],
  ["on-accent", "accent-hover"],
  ["on-danger", "danger"],
] as [string, string][];

test.each([":root", ':root[data-theme="dark"]'])("every text of %s can be read on its ground", (selector) => {
  const all = tokens(selector);
  const weak = PAIRS.map(([ink, ground]) => ({
    pair: `${ink} on ${ground}`,
    contrast: contrast(all[ink] ?? "", all[ground] ?? ""),
  })).filter((pair) => !(pair.contrast >= 4.5));
  expect(weak).toEqual([]);
});

test("no component has a colour or a size of text of its own", () => {
  const own = /\b(?:text|bg|border|ring|fill|stroke|from|to)-\[(?!inset|var)[^\]]*\]|#[0-9a-f]{6}\b|\brgba?\(/g;
  const components = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".tsx"))
    .map((file) => `src/${file}`);
  const found = components.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(own)].map(([what]) => `${file}: ${what}`),
  );
  expect(found).toEqual([]);
});
