import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { cx } from "../lib/cx";
import { IconButton } from "./button";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  size?: "small" | "large";
  /** A click beside it does not close it: what it shows or asks would be lost. */
  insists?: boolean;
  testId?: string;
}

/** A modal dialog: keeps the focus inside, gives it back when closed, closes on Escape. */
export function Dialog({
  open,
  onClose,
  title,
  description,
  children,
  size = "small",
  insists = false,
  testId,
}: DialogProps) {
  const opener = useOpener(open);
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-sunken/70 backdrop-blur-[2px]" />
        <Radix.Content
          data-testid={testId}
          role={insists ? "alertdialog" : "dialog"}
          onInteractOutside={(event) => insists && event.preventDefault()}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            const back = opener.current?.isConnected ? opener.current : document.querySelector("main");
            back?.focus();
          }}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cx(
            "fixed top-[12vh] left-1/2 z-50 flex max-h-[80vh] w-[calc(100vw-2rem)] -translate-x-1/2 animate-fade flex-col rounded-xl border border-line-strong bg-raised shadow-raised",
            size === "small" ? "max-w-md" : "max-w-2xl",
          )}
        >
          <header className="flex items-start justify-between gap-3 px-5 pt-4">
            <div>
              <Radix.Title className="font-semibold text-lg">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-0.5 text-ink-soft text-sm">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" className="-mr-1.5">
                <X className="size-4" />
              </IconButton>
            </Radix.Close>
          </header>
          <div className="min-h-0 overflow-y-auto px-5 pt-3 pb-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/**
 * What had the focus before a dialog took it; of a menu that opened it, the button of the menu. Radix asks only when a field with
 * `autoFocus` has the focus already, so it is asked here, while that field is not there yet.
 */
function useOpener(open: boolean) {
  const opener = useRef<HTMLElement | null>(null);
  const wasOpen = useRef(false);
  if (open && !wasOpen.current) {
    const focused = document.activeElement as HTMLElement | null;
    const menu = focused?.closest("[role=menu]")?.getAttribute("aria-labelledby");
    opener.current = menu ? document.getElementById(menu) : focused;
  }
  useLayoutEffect(() => {
    wasOpen.current = open;
  }, [open]);
  return opener;
}

export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="mt-5 flex items-center justify-end gap-2">{children}</div>;
}
