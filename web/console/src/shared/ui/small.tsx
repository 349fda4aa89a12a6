import { type ReactNode, useId } from "react";
import { cx } from "../lib/cx";

export function Kbd({ children }: { children: ReactNode }) {
  return (
    <kbd className="inline-flex h-4.5 min-w-4.5 items-center justify-center rounded border border-line-strong bg-surface px-1 font-sans text-2xs text-ink-soft">
      {children}
    </kbd>
  );
}

type Tone = "neutral" | "accent" | "added" | "changed" | "removed" | "moved";

const TONES: Record<Tone, string> = {
  neutral: "bg-sunken text-ink-soft",
  accent: "bg-accent-soft text-accent-ink",
  added: "bg-added text-added-ink",
  changed: "bg-changed text-changed-ink",
  removed: "bg-removed text-removed-ink",
  moved: "bg-moved text-moved-ink",
};

export function Badge({ tone = "neutral", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span
      title={title}
      className={cx(
        "inline-flex h-5 shrink-0 items-center gap-1 whitespace-nowrap rounded px-1.5 font-medium text-2xs",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

/** A value as it came. */
export function Json({ value }: { value: unknown }) {
  return (
    <pre className="whitespace-pre-wrap break-words rounded-md bg-sunken px-3 py-2 font-mono text-xs">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

/** A person's initials; the name is read out by what stands beside it. */
export function Avatar({ name, size = "small" }: { name: string; size?: "small" | "medium" }) {
  const initials = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word[0]?.toUpperCase() ?? "")
    .join("");
  return (
    <span
      aria-hidden="true"
      title={name}
      className={cx(
        "inline-flex shrink-0 select-none items-center justify-center rounded-full bg-accent-soft font-semibold text-accent-ink",
        size === "small" ? "size-5 text-3xs" : "size-7 text-2xs",
      )}
    >
      {initials || "?"}
    </span>
  );
}

export function ProgressRing({ done, total }: { done: number; total: number }) {
  const share = total === 0 ? 0 : done / total;
  const around = 2 * Math.PI * 5;
  return (
    <svg viewBox="0 0 14 14" className="size-3.5 shrink-0 -rotate-90" aria-hidden="true">
      <circle cx="7" cy="7" r="5" fill="none" stroke="var(--line-strong)" strokeWidth="2" />
      <circle
        cx="7"
        cy="7"
        r="5"
        fill="none"
        stroke={share === 1 ? "var(--added-line)" : "var(--accent)"}
        strokeWidth="2"
        strokeDasharray={`${around * share} ${around}`}
      />
    </svg>
  );
}

export function Logo({ className }: { className?: string }) {
  const id = useId();
  return (
    <svg viewBox="0 0 32 32" className={className} role="img" aria-labelledby={id}>
      <title id={id}>Patchbay</title>
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M10 10c0 8 12 4 12 12" fill="none" stroke="var(--on-accent)" strokeWidth="2.5" strokeLinecap="round" />
      <circle cx="10" cy="10" r="3.5" fill="var(--accent)" stroke="var(--on-accent)" strokeWidth="2.5" />
      <circle cx="22" cy="22" r="3.5" fill="var(--accent)" stroke="var(--on-accent)" strokeWidth="2.5" />
    </svg>
  );
}
