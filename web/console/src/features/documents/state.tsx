import type { DocumentState } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { Badge } from "@/shared/ui/small";

/** In the order in which a document goes through them. */
export const STATES: DocumentState[] = ["draft", "review", "approved", "published"];

const TITLES: Record<DocumentState, { title: string; tone: "neutral" | "changed" | "moved" | "added" }> = {
  draft: { title: "draft", tone: "neutral" },
  review: { title: "in review", tone: "changed" },
  approved: { title: "approved", tone: "moved" },
  published: { title: "published", tone: "added" },
};

/** What leads from a state to others; the first is the one that leads on. `review`: only who may review takes it. */
export const STEPS: Record<DocumentState, { to: DocumentState; verb: string; review?: boolean }[]> = {
  draft: [{ to: "review", verb: "Ask for review" }],
  review: [
    { to: "approved", verb: "Approve", review: true },
    { to: "draft", verb: "Back to draft" },
  ],
  approved: [
    { to: "published", verb: "Publish", review: true },
    { to: "draft", verb: "Back to draft", review: true },
  ],
  published: [{ to: "draft", verb: "Back to draft", review: true }],
};

export function StateBadge({ state }: { state: DocumentState }) {
  return <Badge tone={TITLES[state].tone}>{TITLES[state].title}</Badge>;
}

/** The way of a document, and where on it this one is. */
export function Way({ state }: { state: DocumentState }) {
  const at = STATES.indexOf(state);
  return (
    <ol aria-label="Its way" className="flex flex-wrap items-center gap-x-1 gap-y-1 text-xs">
      {STATES.map((step, index) => (
        <li key={step} className="flex items-center gap-1" aria-current={index === at ? "step" : undefined}>
          {index > 0 && (
            <span aria-hidden="true" className={cx("h-px w-4", index <= at ? "bg-accent" : "bg-line-strong")} />
          )}
          <span
            className={cx(
              "rounded-full px-2 py-0.5",
              index === at && "bg-accent-soft font-medium text-accent-ink",
              index < at && "text-ink-soft",
              index > at && "text-ink-mute",
            )}
          >
            {TITLES[step].title}
          </span>
        </li>
      ))}
    </ol>
  );
}
