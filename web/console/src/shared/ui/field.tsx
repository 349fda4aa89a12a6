import { type ComponentProps, type ReactNode, useId } from "react";
import { cx } from "../lib/cx";

const CONTROL =
  "block w-full rounded-md border bg-surface text-ink shadow-small transition-colors hover:border-line-strong focus:outline-2 focus:outline-focus focus:-outline-offset-1 disabled:opacity-60";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
}

function FieldFrame({ id, label, hint, error, children }: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium text-ink-soft text-sm">
        {label}
      </label>
      {children}
      {error ? (
        <p id={`${id}-note`} role="alert" className="mt-1 text-removed-ink text-xs">
          {error}
        </p>
      ) : (
        hint && (
          <p id={`${id}-note`} className="mt-1 text-ink-mute text-xs">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

function describe(id: string, { hint, error }: FieldProps) {
  return { "aria-invalid": error ? true : undefined, "aria-describedby": error || hint ? `${id}-note` : undefined };
}

export function TextField({ label, hint, error, className, ...props }: FieldProps & ComponentProps<"input">) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <input
        id={id}
        {...props}
        {...describe(id, { label, hint, error })}
        className={cx(CONTROL, "h-9 px-3", error ? "border-removed-line" : "border-line-strong", className)}
      />
    </FieldFrame>
  );
}

export function TextArea({ label, hint, error, className, ...props }: FieldProps & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        rows={3}
        {...props}
        {...describe(id, { label, hint, error })}
        className={cx(
          CONTROL,
          "field-sizing-content max-h-64 min-h-20 px-3 py-2",
          error ? "border-removed-line" : "border-line-strong",
          className,
        )}
      />
    </FieldFrame>
  );
}

export function SelectField({ label, hint, error, children, ...props }: FieldProps & ComponentProps<"select">) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} hint={hint} error={error}>
      <select
        id={id}
        {...props}
        {...describe(id, { label, hint, error })}
        className={cx(CONTROL, "h-9 px-2", error ? "border-removed-line" : "border-line-strong")}
      >
        {children}
      </select>
    </FieldFrame>
  );
}

interface CheckFieldProps extends ComponentProps<"input"> {
  label: string;
  /** What ticking it means, beside the label. */
  meaning?: string;
}

export function CheckField({ label, meaning, ...props }: CheckFieldProps) {
  return (
    <label className="flex cursor-pointer items-baseline gap-2.5 text-sm">
      <input type="checkbox" {...props} className="size-4 shrink-0 translate-y-0.5 cursor-pointer accent-accent" />
      <span>
        <span className="font-medium">{label}</span>
        {meaning && <span className="ml-2 text-ink-mute">{meaning}</span>}
      </span>
    </label>
  );
}

/** Fields that belong together, with one name and one fault. */
export function FieldGroup({ label, error, children }: { label: string; error?: string; children: ReactNode }) {
  const id = useId();
  return (
    <fieldset aria-describedby={error ? id : undefined}>
      <legend className="mb-1 font-medium text-ink-soft text-sm">{label}</legend>
      <div className="space-y-1.5">{children}</div>
      {error && (
        <p id={id} role="alert" className="mt-1 text-removed-ink text-xs">
          {error}
        </p>
      )}
    </fieldset>
  );
}

/** The faults that belong to no field, above a form's buttons. */
export function FormFaults({ faults }: { faults: string[] }) {
  if (faults.length === 0) return null;
  return (
    <div role="alert" className="rounded-md border border-removed-line bg-removed px-3 py-2 text-removed-ink text-sm">
      {faults.map((fault) => (
        <p key={fault}>{fault}</p>
      ))}
    </div>
  );
}
