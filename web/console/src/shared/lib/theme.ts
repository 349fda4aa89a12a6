import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

/** The same key as in public/theme.js, which applies it before the first paint. */
const KEY = "patchbay.theme";
const listeners = new Set<() => void>();
const systemDark = () => window.matchMedia("(prefers-color-scheme: dark)");

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

function paint() {
  const theme = kept();
  const dark = theme === "dark" || (theme === "system" && systemDark().matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

export function setTheme(theme: Theme) {
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
  paint();
  for (const listener of listeners) listener();
}

/** Follows the system while no theme was chosen. Call once at start. */
export function followSystemTheme() {
  systemDark().addEventListener("change", paint);
  paint();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, kept);
}
