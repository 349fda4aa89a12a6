import { expect, test } from "vitest";
import { parseMarkdown } from "@/shared/lib/markdown";
import { calendarDay, duration, parseDuration } from "@/shared/lib/time";

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
