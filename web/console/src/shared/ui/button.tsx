import { Slot } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "../lib/cx";
import { Spinner } from "./spinner";

type Look = "primary" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent shadow-small hover:bg-accent-hover",
  plain: "border border-line-strong bg-surface text-ink shadow-small hover:bg-hover",
  quiet: "text-ink-soft hover:bg-hover hover:text-ink",
  danger: "bg-danger text-on-danger shadow-small hover:bg-danger-hover",
};

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  size?: "small" | "medium" | "large";
  busy?: boolean;
  asChild?: boolean;
  icon?: ReactNode;
}

const SIZES = { small: "h-7 px-2.5 text-xs", medium: "h-8 px-3 text-sm", large: "h-10 px-4 text-base" };

export function Button({
  look = "plain",
  size = "medium",
  busy = false,
  asChild,
  icon,
  className,
  ...props
}: ButtonProps) {
  const classes = cx(
    "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-md font-medium transition-colors",
    "disabled:pointer-events-none disabled:opacity-55",
    LOOKS[look],
    SIZES[size],
    className,
  );
  if (asChild) return <Slot.Root className={classes} {...props} />;
  return (
    <button
      type="button"
      {...props}
      className={classes}
      disabled={props.disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy ? <Spinner /> : icon}
      {props.children}
    </button>
  );
}

interface IconButtonProps extends ComponentProps<"button"> {
  /** What it does: its accessible name and its tooltip. */
  label: string;
}

export function IconButton({ label, className, ...props }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...props}
      className={cx(
        "inline-flex size-7 shrink-0 items-center justify-center rounded-md text-ink-mute transition-colors hover:bg-hover hover:text-ink",
        "disabled:pointer-events-none disabled:opacity-50",
        className,
      )}
    />
  );
}
