import { CircleAlert } from "lucide-react";
import { asProblem } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";

interface RefusalProps {
  error: unknown;
  /** Puts an operation back in. */
  onTake: (index: number) => void;
  onDismiss: () => void;
}

/** Why a decision was refused: each fault, and for a dropped operation that a kept one needs, the way to take it too. */
export function Refusal({ error, onTake, onDismiss }: RefusalProps) {
  if (!error) return null;
  const problem = asProblem(error);
  const isStale = problem.type.endsWith("/stale");
  return (
    <div role="alert" data-testid="refusal" className="mt-2.5 rounded-lg border border-removed-line bg-removed px-3 py-2.5 text-sm">
      <p className="flex items-center gap-2 font-medium text-removed-ink">
        <CircleAlert className="size-4 shrink-0" aria-hidden="true" />
        {isStale ? "The plan has moved on since this was proposed" : problem.title}
      </p>
      {problem.detail && <p className="mt-1 pl-6 text-ink-soft">{problem.detail}</p>}
      {problem.errors && problem.errors.length > 0 && (
        <ul className="mt-1.5 space-y-1 pl-6">
          {problem.errors.map((fault) => {
            const dropped = droppedOperation(fault);
            return (
              <li key={`${fault.path}:${fault.message}`} className="flex flex-wrap items-center gap-2">
                <span>
                  {fault.message} {fault.fix && <span className="text-ink-soft">{fault.fix}</span>}
                </span>
                {dropped !== null && (
                  <Button
                    size="small"
                    onClick={() => {
                      onTake(dropped);
                      onDismiss();
                    }}
                  >
                    Take {dropped} too
                  </Button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      <Button size="small" look="quiet" className="mt-2 ml-5" onClick={onDismiss}>
        Dismiss
      </Button>
    </div>
  );
}

/** The server names a dropped operation by its path (`/ops/3`, `operations[3]`); other faults name none. */
function droppedOperation(fault: { path: string }): number | null {
  const match = /(?:ops|operations)\D+(\d+)/.exec(fault.path);
  return match ? Number(match[1]) : null;
}
