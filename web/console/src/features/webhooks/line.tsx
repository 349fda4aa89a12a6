import { ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import { cx } from "@/shared/lib/cx";

interface LineProps {
  title: ReactNode;
  facts: ReactNode;
  actions?: ReactNode;
  /** What is shown when it is opened; asked for only then. */
  children: () => ReactNode;
  testId: string;
}

/** A line that opens. */
export function Line({ title, facts, actions, children, testId }: LineProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li className="px-4 py-3" data-testid={testId}>
      <div className="flex items-center gap-3">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="flex min-w-0 flex-1 items-center gap-2 rounded text-left"
        >
          <ChevronRight
            className={cx("size-4 shrink-0 text-ink-mute transition-transform", isOpen && "rotate-90")}
            aria-hidden="true"
          />
          <span className="min-w-0">
            <span className="flex flex-wrap items-center gap-2 break-all font-medium">{title}</span>
            <span className="block break-words text-ink-mute text-xs">{facts}</span>
          </span>
        </button>
        {actions}
      </div>
      {isOpen && <div className="mt-3 ml-6 space-y-3 text-sm">{children()}</div>}
    </li>
  );
}
