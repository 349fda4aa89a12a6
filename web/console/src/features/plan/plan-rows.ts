import type { DiffEntry, TaskNode } from "@/shared/api/types";

/** One line of the plan as it is shown: a task, with what the proposal wants to do to it. */
export interface PlanRow {
  /** The task's reference, or the temporary name of one that is only proposed. */
  key: string;
  task: TaskNode | null;
  entry: DiffEntry | null;
  /** The operation that would delete it, its own or that of a task above it. */
  removedBy: number | null;
  parent: string | null;
  depth: number;
  position: number;
  siblings: number;
  children: number;
  /** Whether anything at or below it would change. */
  touched: boolean;
}

interface Node {
  key: string;
  task: TaskNode | null;
  entry: DiffEntry | null;
  removedBy: number | null;
  parent: string | null;
  children: string[];
}

/**
 * The plan with a proposal laid into it: created tasks at their place, moved ones at their new place, deleted ones where they are. Operations on
 * tasks that the tree does not hold (a decided proposal looked at later) get a line of their own, so nothing is left out.
 */
export function planRows(
  tasks: TaskNode[],
  entries: DiffEntry[],
  isCollapsed: (key: string) => boolean,
  onlyTouched = false,
): PlanRow[] {
  const plan = new Plan(tasks);
  for (const entry of entries) plan.lay(entry);
  const rows: PlanRow[] = [];
  const walk = (keys: string[], parent: string | null, depth: number) => {
    const shown = onlyTouched ? keys.filter((key) => plan.isTouched(key)) : keys;
    shown.forEach((key, index) => {
      const node = plan.get(key);
      if (!node) return;
      const children = onlyTouched ? node.children.filter((child) => plan.isTouched(child)) : node.children;
      rows.push({
        key,
        task: node.task,
        entry: node.entry,
        removedBy: node.removedBy,
        parent,
        depth,
        position: index + 1,
        siblings: shown.length,
        children: children.length,
        touched: plan.isTouched(key),
      });
      if (!isCollapsed(key)) walk(children, key, depth + 1);
    });
  };
  walk(plan.roots, null, 0);
  return rows;
}

class Plan {
  readonly roots: string[] = [];
  readonly #nodes = new Map<string, Node>();
  readonly #touched = new Set<string>();

  constructor(tasks: TaskNode[]) {
    const read = (list: TaskNode[], parent: string | null, into: string[]) => {
      for (const task of list) {
        const node: Node = { key: task.ref, task, entry: null, removedBy: null, parent, children: [] };
        this.#nodes.set(task.ref, node);
        into.push(task.ref);
        read(task.subtasks, task.ref, node.children);
      }
    };
    read(tasks, null, this.roots);
  }

  get = (key: string) => this.#nodes.get(key);
  isTouched = (key: string) => this.#touched.has(key);

  lay(entry: DiffEntry) {
    const node = this.#nodes.get(entry.task) ?? this.#add(entry);
    node.entry = entry;
    if (entry.moved) this.#place(node, entry.moved.to.parent ?? null, entry.moved.to.after ?? "first");
    if (entry.op === "delete") {
      for (const key of [entry.task, ...entry.removes]) {
        const gone = this.#nodes.get(key);
        if (gone) gone.removedBy = entry.index;
        this.#touch(key);
      }
    }
    this.#touch(entry.task);
  }

  #add(entry: DiffEntry): Node {
    const node: Node = { key: entry.task, task: null, entry, removedBy: null, parent: null, children: [] };
    this.#nodes.set(entry.task, node);
    this.#place(node, entry.parent ?? null, entry.after ?? "last");
    return node;
  }

  #place(node: Node, parent: string | null, after: string) {
    const old = this.#siblings(node.parent);
    const at = old.indexOf(node.key);
    if (at >= 0) old.splice(at, 1);
    node.parent = parent !== null && this.#nodes.has(parent) ? parent : null;
    const siblings = this.#siblings(node.parent);
    const follows = siblings.indexOf(after);
    if (after === "first") siblings.unshift(node.key);
    else if (follows >= 0) siblings.splice(follows + 1, 0, node.key);
    else siblings.push(node.key);
  }

  #siblings(parent: string | null): string[] {
    return (parent === null ? null : this.#nodes.get(parent)?.children) ?? this.roots;
  }

  #touch(key: string) {
    for (
      let node = this.#nodes.get(key);
      node;
      node = node.parent === null ? undefined : this.#nodes.get(node.parent)
    ) {
      this.#touched.add(node.key);
    }
  }
}

/** Whether there is nothing to show at all. */
export function planIsEmpty(tasks: TaskNode[], entries: DiffEntry[]): boolean {
  return tasks.length === 0 && entries.length === 0;
}
