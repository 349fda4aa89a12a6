import { useState } from "react";

function read(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** Text that is being written: survives leaving the page and coming back, within the tab. */
export function useDraft(name: string): [string, (text: string) => void] {
  const key = `patchbay.draft.${name}`;
  const [state, setState] = useState({ key, text: read(key) });
  const current = state.key === key ? state : { key, text: read(key) };
  if (current !== state) setState(current);
  const set = (text: string) => {
    setState({ key, text });
    try {
      if (text) sessionStorage.setItem(key, text);
      else sessionStorage.removeItem(key);
    } catch {
      // Without storage the draft lives as long as the page.
    }
  };
  return [current.text, set];
}
