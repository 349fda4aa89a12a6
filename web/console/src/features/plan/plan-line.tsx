import { ChevronDown, ChevronRight, Ellipsis, Pencil } from "lucide-react";
import type { DiffEntry } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { IconButton } from "@/shared/ui/button";
import { Badge } from "@/shared/ui/small";
import { StepIcon } from "@/shared/ui/step-icon";
import { Words } from "@/shared/ui/words";
import { ChangeLines, detailChanges } from "./change-lines";
import { LineFacts } from "./line-facts";
import type { PlanRow } from "./plan-rows";
import type { LineReview } from "./plan-tree";
import type { Steps } from "./use-steps";

interface PlanLineProps {
  row: PlanRow;
  steps: Steps;
  review?: LineReview;
  reviewing: boolean;
  isActive: boolean;
  isCurrent: boolean;
  isOpen: boolean;
  /** Whether any line folds: only then there is room for it on each. */
  folds: boolean;
  hasDetails: boolean;
  onToggleOpen: () => void;
  onToggleDetails: () => void;
  onOpen: () => void;
  onFocus: () => void;
  /** What a task is called: the title of one that is only proposed, else the reference itself. */
  nameOf: (task: string) => string;
  /** What a person is called, by their handle. */
  personOf: (handle: string) => string;
  lineRef: (element: HTMLElement | null) => void;
}

type Change = "created" | "changed" | "removed" | "moved";

const LOOKS: Record<Change, { sign: string; name: string; line: string; sign_ink: string }> = {
  created: {
    sign: "+",
    name: "new",
    line: "bg-added shadow-[inset_2px_0_var(--added-line)]",
    sign_ink: "text-added-ink",
  },
  changed: {
    sign: "~",
    name: "changed",
    line: "bg-changed shadow-[inset_2px_0_var(--changed-line)]",
    sign_ink: "text-changed-ink",
  },
  removed: {
    sign: "−",
    name: "removed",
    line: "bg-removed shadow-[inset_2px_0_var(--removed-line)]",
    sign_ink: "text-removed-ink",
  },
  moved: {
    sign: "→",
    name: "moved",
    line: "bg-moved shadow-[inset_2px_0_var(--moved-line)]",
    sign_ink: "text-moved-ink",
  },
};

/** A line that is left out, or was rejected: no longer coloured, and struck through. */
const OUT = "bg-surface shadow-[inset_2px_0_var(--line-strong)]";

function changeOf(row: PlanRow): Change | null {
  if (row.removedBy !== null) return "removed";
  if (!row.entry) return null;
  if (row.entry.op === "create") return "created";
  return row.entry.changes.length === 0 && row.entry.moved ? "moved" : "changed";
}

export function PlanLine(props: PlanLineProps) {
  const { row, steps, review, reviewing, isActive, isCurrent, isOpen, folds, hasDetails } = props;
  const { entry, task } = row;
  const change = changeOf(row);
  const look = change ? LOOKS[change] : null;
  const operation = entry?.index ?? row.removedBy;
  const isOut =
    entry?.state === "rejected" || (review !== undefined && operation !== null && !review.chosen.has(operation));
  const missing =
    entry && review?.chosen.has(entry.index) ? entry.needs.filter((index) => !review.chosen.has(index)) : [];
  const details = entry && entry.op !== "delete" ? detailChanges(entry) : [];
  const step = steps.of(task?.status ?? "");

  return (
    <div
      role="row"
      ref={props.lineRef}
      tabIndex={isActive ? 0 : -1}
      aria-level={row.depth + 1}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-expanded={row.children > 0 ? isOpen : undefined}
      aria-current={isCurrent ? "true" : undefined}
      data-testid={entry ? `op-${entry.index}` : undefined}
      data-ref={row.key}
      data-change={change ?? undefined}
      onFocus={props.onFocus}
      className={cx(
        "group relative border-line/70 border-b pr-3 focus-visible:-outline-offset-2",
        reviewing ? "pl-2" : "pl-3",
        look ? cx(isOut ? OUT : look.line, "animate-arrive") : isCurrent ? "bg-selected" : "hover:bg-hover",
      )}
    >
      <div className="flex items-start gap-1.5 py-2.25">
        {reviewing && (
          <span role="gridcell" className="flex h-5.5 w-10 shrink-0 items-center gap-1.5">
            <span className={cx("w-3 text-center font-mono font-semibold", look?.sign_ink)} aria-hidden="true">
              {look?.sign}
            </span>
            {entry && review && (
              <input
                type="checkbox"
                tabIndex={isActive ? 0 : -1}
                checked={review.chosen.has(entry.index)}
                onChange={() => review.onToggle(entry.index)}
                aria-label={`Include ${entry.title} (operation ${entry.index})`}
                data-testid={`choose-${entry.index}`}
                className="size-3.5 cursor-pointer accent-accent"
              />
            )}
          </span>
        )}
        <span
          role="gridcell"
          className="flex min-w-0 flex-1 items-start gap-1.5"
          style={{ paddingLeft: `calc(${row.depth} * var(--indent))` }}
        >
          {folds && <Chevron shown={row.children > 0} isOpen={isOpen} onToggle={props.onToggleOpen} />}
          <span className="sr-only">{look ? `${look.name}: ` : `${step.title}: `}</span>
          <span className="flex h-5.5 shrink-0 items-center">
            <StepIcon kind={change === "created" ? "proposed" : change === "removed" ? "removed" : step.kind} />
          </span>
          <Reference row={row} />
          <Title
            row={row}
            struck={change === "removed"}
            isOut={isOut}
            onOpen={task ? props.onOpen : props.onToggleDetails}
          />
          {entry?.moved && <MovedBadge moved={entry.moved} />}
          {entry?.refined && entry.refined !== "same" && <RefinedMark refined={entry.refined} />}
          {missing.length > 0 && <Badge tone="removed">needs operation {missing.join(" and ")}, left out</Badge>}
          {details.length > 0 && (
            <button
              type="button"
              tabIndex={-1}
              aria-expanded={hasDetails}
              aria-label={hasDetails ? "Hide details" : "Show details"}
              onClick={props.onToggleDetails}
              className="mt-0.75 flex h-4 shrink-0 items-center rounded bg-surface/70 px-1 text-ink-mute hover:text-ink"
            >
              <Ellipsis className="size-3.5" aria-hidden="true" />
            </button>
          )}
        </span>
        <span role="gridcell" className="flex h-5.5 shrink-0 items-center gap-2">
          {entry && review && entry.op !== "delete" && (
            <IconButton
              label={`Edit operation ${entry.index}`}
              tabIndex={isActive ? 0 : -1}
              onClick={() => review.onEdit(entry, task)}
              className="opacity-0 focus-visible:opacity-100 pointer-coarse:opacity-100 group-hover:opacity-100 group-focus:opacity-100"
            >
              <Pencil className="size-3.5" aria-hidden="true" />
            </IconButton>
          )}
          {change !== "removed" && (
            <LineFacts row={row} steps={steps} nameOf={props.nameOf} personOf={props.personOf} />
          )}
        </span>
      </div>
      {entry && details.length > 0 && hasDetails && (
        <div
          role="gridcell"
          className="pr-2 pb-2.5"
          style={{ paddingLeft: `calc(${row.depth} * var(--indent) + ${folds ? 5.75 : 4.375}rem)` }}
        >
          <ChangeLines entry={entry} nameOf={props.nameOf} />
        </div>
      )}
    </div>
  );
}

function Chevron({ shown, isOpen, onToggle }: { shown: boolean; isOpen: boolean; onToggle: () => void }) {
  if (!shown) return <span className="w-4 shrink-0" />;
  const Icon = isOpen ? ChevronDown : ChevronRight;
  return (
    <button
      type="button"
      tabIndex={-1}
      onClick={onToggle}
      aria-label={isOpen ? "Fold subtasks" : "Show subtasks"}
      className="mt-0.75 flex size-4 shrink-0 items-center justify-center rounded text-ink-mute hover:bg-line hover:text-ink"
    >
      <Icon className="size-3.5" aria-hidden="true" />
    </button>
  );
}

function Reference({ row }: { row: PlanRow }) {
  if (!row.task && row.entry?.op === "create") return null;
  return <span className="w-(--reference) shrink-0 font-mono text-2xs text-ink-mute leading-5.5">{row.key}</span>;
}

function Title({ row, struck, isOut, onOpen }: { row: PlanRow; struck: boolean; isOut: boolean; onOpen: () => void }) {
  const words = row.entry?.op === "update" ? row.entry.changes.find(({ field }) => field === "title")?.words : null;
  const text = row.entry && row.entry.op !== "delete" ? row.entry.title : (row.task?.title ?? row.entry?.title);
  return (
    <button
      type="button"
      tabIndex={-1}
      onClick={onOpen}
      className={cx(
        "min-w-0 text-left [overflow-wrap:anywhere]",
        // What is to be decided is read to its end.
        !row.entry && "max-xl:line-clamp-2 xl:truncate",
        isOut ? "text-ink-mute line-through" : struck && "text-removed-ink line-through decoration-removed-line",
        row.entry && !struck && !isOut && "font-medium",
      )}
    >
      {words ? <Words words={words} /> : text}
    </button>
  );
}

function MovedBadge({ moved }: { moved: NonNullable<DiffEntry["moved"]> }) {
  const under = (parent: string | null | undefined) => (parent ? `under ${parent}` : "the top");
  const place = ({ parent, after }: { parent?: string | null; after?: string | null }) =>
    `${under(parent)}${after ? `, after ${after}` : ", first"}`;
  const isSameParent = (moved.from.parent ?? null) === (moved.to.parent ?? null);
  return (
    <Badge tone="moved" title={`Moved from ${place(moved.from)} to ${place(moved.to)}`}>
      {isSameParent
        ? `${moved.from.after ? `after ${moved.from.after}` : "first"} → ${moved.to.after ? `after ${moved.to.after}` : "first"}`
        : `${under(moved.from.parent)} → ${under(moved.to.parent)}`}
    </Badge>
  );
}

function RefinedMark({ refined }: { refined: "added" | "changed" }) {
  const text = refined === "added" ? "Added by the last refinement" : "Changed by the last refinement";
  return (
    <span className="inline-flex shrink-0 items-center" title={text} data-testid="refined">
      <span className="size-1.5 rounded-full bg-accent" aria-hidden="true" />
      <span className="sr-only">{text}</span>
    </span>
  );
}
