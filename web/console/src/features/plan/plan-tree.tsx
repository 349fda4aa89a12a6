import { type CSSProperties, type KeyboardEvent, useMemo, useRef, useState } from "react";
import { useNames } from "@/shared/api/members";
import type { DiffEntry, TaskNode } from "@/shared/api/types";
import { useHotkeys } from "@/shared/lib/hotkeys";
import { PlanLine } from "./plan-line";
import { planRows } from "./plan-rows";
import type { Steps } from "./use-steps";

/** What a reviewer can do on the lines; absent while nothing is to be decided. */
export interface LineReview {
  chosen: ReadonlySet<number>;
  onToggle: (index: number) => void;
  onEdit: (entry: DiffEntry, task: TaskNode | null) => void;
}

interface PlanTreeProps {
  label: string;
  tasks: TaskNode[];
  /** The proposal laid into the plan, or as much of it as has been written. */
  entries: DiffEntry[];
  steps: Steps;
  review?: LineReview;
  /** The task whose page is open. */
  current?: string;
  onOpen: (ref: string) => void;
  onlyTouched?: boolean;
}

/** So many operations or fewer show their details without being asked. */
const FEW = 8;

export function PlanTree({ label, tasks, entries, steps, review, current, onOpen, onlyTouched }: PlanTreeProps) {
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [flipped, setFlipped] = useState<ReadonlySet<string>>(new Set());
  const [activeKey, setActiveKey] = useState<string | null>(null);
  const personOf = useNames();
  const lines = useRef(new Map<string, HTMLElement>());
  const rows = useMemo(
    () => planRows(tasks, entries, (key) => collapsed.has(key), onlyTouched),
    [tasks, entries, collapsed, onlyTouched],
  );
  const activeIndex = Math.max(
    0,
    rows.findIndex((row) => row.key === (activeKey ?? current)),
  );
  const active = rows[activeIndex];
  const references = rows.filter(({ task, entry }) => task !== null || entry?.op !== "create");
  const folds = rows.some(({ children }) => children > 0);
  const nameOf = (task: string) => entries.find((entry) => entry.op === "create" && entry.task === task)?.title ?? task;
  const hasDetails = (key: string) => entries.length <= FEW !== flipped.has(key);

  const goTo = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (!row) return;
    setActiveKey(row.key);
    lines.current.get(row.key)?.focus();
  };
  const step = (by: number) => goTo(activeKey === null ? activeIndex : activeIndex + by);
  const setOpen = (key: string, open: boolean) => setCollapsed(changed(collapsed, key, !open));
  const flip = (key: string) => setFlipped(changed(flipped, key, !flipped.has(key)));
  const enter = () => {
    if (active?.task) onOpen(active.key);
    else if (active) flip(active.key);
  };

  useHotkeys({
    j: () => step(1),
    k: () => step(-1),
    d: () => active?.entry && flip(active.key),
    x: () => active?.entry && review?.onToggle(active.entry.index),
    e: () => active?.entry && active.entry.op !== "delete" && review?.onEdit(active.entry, active.task),
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (!active || event.target !== lines.current.get(active.key)) return;
    const isOpen = !collapsed.has(active.key);
    const moves: Record<string, () => void> = {
      ArrowDown: () => goTo(activeIndex + 1),
      ArrowUp: () => goTo(activeIndex - 1),
      Home: () => goTo(0),
      End: () => goTo(rows.length - 1),
      ArrowRight: () =>
        active.children > 0 && !isOpen ? setOpen(active.key, true) : active.children > 0 && goTo(activeIndex + 1),
      ArrowLeft: () =>
        active.children > 0 && isOpen
          ? setOpen(active.key, false)
          : goTo(rows.findIndex((row) => row.key === active.parent)),
      Enter: enter,
      " ": () => (active.entry && review ? review.onToggle(active.entry.index) : enter()),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  return (
    <div
      role="treegrid"
      aria-label={label}
      aria-rowcount={rows.length}
      data-testid="plan-tree"
      onKeyDown={onKeyDown}
      tabIndex={-1}
      className="pb-6 outline-none [--indent:0.875rem] sm:[--indent:1.375rem]"
      // As wide as the longest: the titles stand below one another.
      style={{ "--reference": `${Math.max(...references.map(({ key }) => key.length), 0) + 1}ch` } as CSSProperties}
    >
      {rows.map((row, index) => (
        <PlanLine
          key={row.key}
          row={row}
          steps={steps}
          review={review}
          reviewing={entries.length > 0}
          isActive={index === activeIndex}
          isCurrent={row.key === current}
          isOpen={!collapsed.has(row.key)}
          folds={folds}
          nameOf={nameOf}
          personOf={personOf}
          hasDetails={hasDetails(row.key)}
          onToggleOpen={() => setOpen(row.key, collapsed.has(row.key))}
          onToggleDetails={() => flip(row.key)}
          onOpen={() => onOpen(row.key)}
          onFocus={() => setActiveKey(row.key)}
          lineRef={(element) => {
            if (element) lines.current.set(row.key, element);
            else lines.current.delete(row.key);
          }}
        />
      ))}
    </div>
  );
}

function changed(set: ReadonlySet<string>, key: string, present: boolean): ReadonlySet<string> {
  const next = new Set(set);
  if (present) next.add(key);
  else next.delete(key);
  return next;
}
