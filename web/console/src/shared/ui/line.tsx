import { ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import { cx } from "../lib/cx";

/** Lines below one another in one frame. */
export function Lines({ children, testId, label }: { children: ReactNode; testId?: string; label?: string }) {
  return (
    <ul
      aria-label={label}
      className="divide-y divide-line rounded-xl border border-line bg-surface"
      data-testid={testId}
    >
      {children}
    </ul>
  );
}

interface LineProps {
  title: ReactNode;
  facts: ReactNode;
  actions?: ReactNode;
  /** What is shown when it is opened; asked for only then. */
  children: () => ReactNode;
  testId?: string;
}

/** A line that opens. */
export function Line({ title, facts, actions, children, testId }: LineProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li className="px-4 py-3" data-testid={testId}>
      <div className="flex flex-wrap items-center justify-end gap-x-3 gap-y-2">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="flex min-w-[min(16rem,100%)] flex-1 items-start gap-2 rounded text-left"
        >
          <ChevronRight
            className={cx("mt-0.75 size-4 shrink-0 text-ink-mute transition-transform", isOpen && "rotate-90")}
            aria-hidden="true"
          />
          <LineText title={title} facts={facts} />
        </button>
        {actions && <span className="flex shrink-0 items-center gap-2">{actions}</span>}
      </div>
      {isOpen && <div className="mt-3 ml-6 space-y-3 text-sm">{children()}</div>}
    </li>
  );
}

/** What a line says: what it is, and below it what else is to be known. */
export function LineText({ title, facts }: { title: ReactNode; facts: ReactNode }) {
  return (
    <span className="min-w-0 flex-1">
      <span className="flex flex-wrap items-center gap-x-2 gap-y-1 font-medium [overflow-wrap:anywhere]">{title}</span>
      <span className="block break-words text-ink-mute text-xs">{facts}</span>
    </span>
  );
}
