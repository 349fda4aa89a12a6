import { useEffect, useRef } from "react";

type Hotkeys = Record<string, (event: KeyboardEvent) => void>;

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return Boolean(element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]"));
}

const isCovered = () =>
  document.querySelector("[role=dialog], [role=alertdialog], [role=menu], [role=listbox]") !== null;

/**
 * Keys for a page: "j", "?", "/", "Escape", or "mod+k" (⌘ on a Mac, Ctrl elsewhere). Plain keys rest while somebody types and while a dialog or
 * menu is open; those with "mod" work everywhere.
 */
export function useHotkeys(hotkeys: Hotkeys, enabled = true) {
  const current = useRef(hotkeys);
  current.current = hotkeys;
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      const mod = event.metaKey || event.ctrlKey;
      if (event.altKey || event.defaultPrevented) return;
      const handler = current.current[mod ? `mod+${event.key.toLowerCase()}` : event.key];
      if (!handler || (!mod && (isTyping(event.target) || isCovered()))) return;
      event.preventDefault();
      handler(event);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [enabled]);
}

export const MOD_KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
