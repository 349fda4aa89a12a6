import { expect, test } from "vitest";
import { parseMarkdown, plainText } from "@/shared/lib/markdown";
import { calendarDay, duration, parseDuration, relativeTime } from "@/shared/lib/time";

test("Markdown becomes data, and what could act stays text", () => {
  expect(parseMarkdown("**WEB-7** is done\n\n- one\n- two")).toMatchObject([
    { kind: "paragraph" },
    { kind: "list", ordered: false, items: [[{ text: "one" }], [{ text: "two" }]] },
  ]);
  expect(JSON.stringify(parseMarkdown("[x](javascript:alert(1)) <img src=x onerror=y>"))).not.toContain('"link"');
});

test("times are said as people say them, and read as they write them", () => {
  expect([45, 120, 90].map(duration)).toEqual(["45m", "2h", "1h 30m"]);
  expect(["90", "1:30", "1h 30m", "1.5h", "soon"].map(parseDuration)).toEqual([90, 90, 90, 90, null]);
  expect(calendarDay("2026-12-01", new Date("2026-11-21"))).toBe("1 Dec");
  expect(calendarDay("2027-01-02", new Date("2026-11-21"))).toBe("2 Jan 2027");
});

test("for a glance Markdown is said without its signs", () => {
  expect(plainText("# Plan\n**Branch**: `002` | [spec](./spec.md)\n\n- one\n- *two*")).toBe(
    "Plan Branch: 002 | spec one two",
  );
});

test("what comes in seconds is not said to have happened", () => {
  const now = Date.parse("2026-12-01T12:00:00Z");
  const said = (seconds: number) => relativeTime(new Date(now + seconds * 1_000).toISOString(), now);
  expect([-30, 2, 30, 120].map(said)).toEqual(["just now", "just now", "in a moment", "in 2m"]);
});
