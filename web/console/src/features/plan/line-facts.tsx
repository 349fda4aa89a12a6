import { CalendarDays, Link2, ListChecks } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "@/shared/lib/cx";
import { calendarDay } from "@/shared/lib/time";
import { Avatar } from "@/shared/ui/small";
import type { PlanRow } from "./plan-rows";
import type { Steps } from "./use-steps";

interface LineFactsProps {
  row: PlanRow;
  steps: Steps;
  nameOf: (task: string) => string;
  personOf: (handle: string) => string;
}

/** A few facts at the end of a line: as the task has them, or as the proposal would set them. */
export function LineFacts({ row, steps, nameOf, personOf }: LineFactsProps) {
  const { task, entry } = row;
  const value = <T,>(field: string, current: T | null | undefined): T | null => {
    const change = entry?.changes.find((candidate) => candidate.field === field);
    return ((change ? change.after : current) as T | null | undefined) ?? null;
  };
  const priority = value("priority", task?.priority);
  const due = value("due_on", task?.due_on);
  const effort = value("effort", task?.effort);
  const assignee = value("assignee", task?.assignee);
  const criteria = value("acceptance_criteria", task?.acceptance_criteria);
  const waits = value("depends_on", task?.depends_on);
  const step = task && steps.of(task.status);
  return (
    <>
      {Array.isArray(waits) && waits.length > 0 && (
        <Fact
          minor
          title={`Waits for ${waits.map(nameOf).join(", ")}`}
          icon={<Link2 className="size-3.5" aria-hidden="true" />}
        >
          {waits.length}
        </Fact>
      )}
      {Array.isArray(criteria) && criteria.length > 0 && (
        <Fact minor title="Acceptance criteria" icon={<ListChecks className="size-3.5" aria-hidden="true" />}>
          {criteria.filter((criterion) => criterion.done).length}/{criteria.length}
        </Fact>
      )}
      {due && (
        <Fact title="Due" icon={<CalendarDays className="size-3.5" aria-hidden="true" />}>
          {calendarDay(due)}
        </Fact>
      )}
      {effort && (
        <Fact minor title="Effort">
          {effort}
        </Fact>
      )}
      {priority && (
        <Fact title="Priority" strong={priority === "P0" || priority === "P1"}>
          {priority}
        </Fact>
      )}
      {step && step.kind !== "open" && step.kind !== "done" && (
        <span className="hidden rounded-full border border-line-strong px-1.5 text-2xs text-ink-soft sm:inline">
          {step.title}
        </span>
      )}
      {assignee && <Avatar name={personOf(assignee)} />}
    </>
  );
}

function Fact({
  title,
  icon,
  strong,
  minor,
  children,
}: {
  title: string;
  icon?: ReactNode;
  strong?: boolean;
  /** It gives way to the title where the plan has the least room beside the conversation. */
  minor?: boolean;
  children: ReactNode;
}) {
  return (
    <span
      title={title}
      className={cx(
        "hidden items-center gap-1 text-2xs tabular-nums sm:inline-flex",
        minor && "lg:hidden xl:inline-flex",
        strong ? "font-semibold text-changed-ink" : "text-ink-mute",
      )}
    >
      {icon}
      <span className="sr-only">{title}: </span>
      {children}
    </span>
  );
}
