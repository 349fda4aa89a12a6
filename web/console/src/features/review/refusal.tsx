import { CircleAlert } from "lucide-react";
import { asProblem } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";

/** Why a decision was refused: each fault, or what changed since. */
export function Refusal({ error, onDismiss }: { error: unknown; onDismiss: () => void }) {
  if (!error) return null;
  const problem = asProblem(error);
  const faults = problem.errors ?? [];
  return (
    <div
      role="alert"
      data-testid="refusal"
      className="mt-2.5 rounded-lg border border-removed-line bg-removed px-3 py-2.5 text-sm"
    >
      <p className="flex items-center gap-2 font-medium text-removed-ink">
        <CircleAlert className="size-4 shrink-0" aria-hidden="true" />
        {problem.type.endsWith("/rebased") ? "The plan has moved on: look again" : problem.title}
      </p>
      {faults.length === 0 && problem.detail && <p className="mt-1 pl-6 text-ink-soft">{problem.detail}</p>}
      {faults.length > 0 && (
        <ul className="mt-1.5 space-y-1 pl-6">
          {faults.map((fault) => (
            <li key={`${fault.path}:${fault.message}`}>
              {fault.message}
              {fault.fix && <span className="text-ink-soft">; {fault.fix}</span>}
            </li>
          ))}
        </ul>
      )}
      <Button size="small" look="quiet" className="mt-2 ml-5" onClick={onDismiss}>
        Dismiss
      </Button>
    </div>
  );
}
