import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { asProblem } from "../api/problem";
import { cx } from "../lib/cx";
import { Button } from "./button";

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={cx("animate-breathe rounded-md bg-line", className)} />;
}

/** Some lines of a list that is still loading, indented like a tree where asked. */
export function SkeletonLines({ label, widths }: { label: string; widths: readonly string[] }) {
  return (
    <div role="status" className="space-y-3 px-4 py-3">
      <span className="sr-only">{label}</span>
      {widths.map((width, index) => (
        <Skeleton key={index} className={cx("h-4", width)} />
      ))}
    </div>
  );
}

interface ErrorStateProps {
  error: unknown;
  onRetry?: () => void;
  /** What could not be done, in a few words: "The plan could not be loaded". */
  title: string;
  className?: string;
}

export function ErrorState({ error, onRetry, title, className }: ErrorStateProps) {
  const problem = asProblem(error);
  return (
    <div role="alert" className={cx("flex flex-col items-center gap-2 px-6 py-10 text-center", className)}>
      <CircleAlert className="size-5 text-removed-ink" aria-hidden="true" />
      <p className="font-medium">{title}</p>
      <p className="max-w-md text-ink-soft text-sm">{problem.detail || problem.title}</p>
      {problem.request_id && <p className="font-mono text-2xs text-ink-mute">request {problem.request_id}</p>}
      {onRetry && (
        <Button onClick={onRetry} className="mt-2" icon={<RotateCw className="size-3.5" />}>
          Try again
        </Button>
      )}
    </div>
  );
}

interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  /** Where a list with a frame would stand. */
  framed?: boolean;
}

export function EmptyState({ icon, title, children, framed }: EmptyStateProps) {
  return (
    <div
      className={cx(
        "flex flex-col items-center px-6 py-14 text-center",
        framed && "rounded-xl border border-line bg-surface",
      )}
    >
      {icon && <div className="mb-3 text-ink-mute">{icon}</div>}
      <p className="font-medium">{title}</p>
      {children && <div className="mt-1 max-w-sm text-ink-soft text-sm">{children}</div>}
    </div>
  );
}
