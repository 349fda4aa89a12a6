type Kind = "open" | "active" | "waiting" | "done" | "proposed" | "removed";

/** A task's state at a glance: shape first, colour second. */
export function StepIcon({ kind }: { kind: Kind }) {
  return (
    <svg viewBox="0 0 16 16" className="size-4 shrink-0" aria-hidden="true">
      {kind === "done" ? (
        <>
          <circle cx="8" cy="8" r="6.5" fill="var(--accent)" />
          <path
            d="m5.2 8.2 2 2 3.6-4"
            fill="none"
            stroke="var(--on-accent)"
            strokeWidth="1.6"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </>
      ) : (
        <circle
          cx="8"
          cy="8"
          r="5.75"
          fill="none"
          strokeWidth="1.5"
          stroke={STROKES[kind]}
          strokeDasharray={kind === "proposed" ? "2.2 2" : undefined}
        />
      )}
      {kind === "active" && <path d="M8 4.5a3.5 3.5 0 0 1 0 7z" fill="var(--changed-line)" />}
      {kind === "waiting" && (
        <path d="M6.5 6v4M9.5 6v4" stroke="var(--removed-line)" strokeWidth="1.5" strokeLinecap="round" />
      )}
      {kind === "removed" && <path d="M5.5 8h5" stroke="var(--removed-line)" strokeWidth="1.5" strokeLinecap="round" />}
    </svg>
  );
}

const STROKES = {
  open: "var(--ink-mute)",
  active: "var(--changed-line)",
  waiting: "var(--removed-line)",
  proposed: "var(--added-line)",
  removed: "var(--removed-line)",
  done: "none",
} satisfies Record<Kind, string>;
