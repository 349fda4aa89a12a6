import { expect, test } from "vitest";
import { planRows } from "@/features/plan/plan-rows";
import type { DiffEntry, TaskNode } from "@/shared/api/types";

const task = (ref: string, subtasks: TaskNode[] = []) => ({ ref, title: ref, subtasks }) as unknown as TaskNode;
const entry = (index: number, op: DiffEntry["op"], ref: string, more: Partial<DiffEntry> = {}) =>
  ({
    index,
    op,
    task: ref,
    title: ref,
    changes: [],
    removes: [],
    needs: [],
    parent: null,
    after: null,
    moved: null,
    ...more,
  }) as unknown as DiffEntry;
const plan = [task("W-1", [task("W-2"), task("W-3")]), task("W-4")];
const shown = (entries: DiffEntry[], onlyTouched = false) =>
  planRows(plan, entries, () => false, onlyTouched).map(
    (row) =>
      `${"  ".repeat(row.depth)}${row.key}${row.entry ? ` ${row.entry.op}` : ""}${row.removedBy ? ` gone by ${row.removedBy}` : ""}`,
  );

test("new tasks stand at their place, below new parents too", () => {
  expect(
    shown([entry(1, "create", "a", { parent: "W-1", after: "W-2" }), entry(2, "create", "b", { parent: "a" })]),
  ).toEqual(["W-1", "  W-2", "  a create", "    b create", "  W-3", "W-4"]);
});

test("a moved task is shown where it goes, a removed one where it is", () => {
  const moved = entry(1, "update", "W-4", {
    moved: { from: { parent: null, after: "W-1" }, to: { parent: "W-1", after: null } },
  });
  expect(shown([moved, entry(2, "delete", "W-2")])).toEqual(["W-1", "  W-4 update", "  W-2 delete gone by 2", "  W-3"]);
});

test("only what is touched, with what it is part of", () => {
  expect(shown([entry(1, "update", "W-3")], true)).toEqual(["W-1", "  W-3 update"]);
});
