import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "../lib/cx";

interface MenuProps {
  trigger: ReactNode;
  children: ReactNode;
  label: string;
  side?: "top" | "bottom";
  align?: "start" | "end";
}

export function Menu({ trigger, children, label, side = "bottom", align = "start" }: MenuProps) {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          side={side}
          align={align}
          sideOffset={4}
          aria-label={label}
          className="z-50 max-h-80 min-w-44 animate-fade overflow-y-auto rounded-lg border border-line-strong bg-raised p-1 shadow-raised"
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  onSelect: () => void;
  children: ReactNode;
  icon?: ReactNode;
  checked?: boolean;
  dangerous?: boolean;
}

export function MenuItem({ onSelect, children, icon, checked, dangerous }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      onSelect={onSelect}
      className={cx(
        "flex h-8 cursor-pointer select-none items-center gap-2 rounded-md px-2 text-sm outline-none data-[highlighted]:bg-hover",
        dangerous ? "text-removed-ink" : "text-ink",
      )}
    >
      {icon && <span className="flex size-4 items-center justify-center text-ink-mute">{icon}</span>}
      <span className="flex-1">{children}</span>
      {checked && <Check className="size-3.5 text-accent-ink" aria-label="chosen" />}
    </DropdownMenu.Item>
  );
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line" />;
}

export function MenuHeading({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 py-1.5 text-ink-mute text-xs">{children}</DropdownMenu.Label>;
}
