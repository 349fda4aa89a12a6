import { useState } from "react";
import type { DiffEntry } from "@/shared/api/types";

/**
 * Which operations a reviewer keeps. All are kept until unticked; what was left out stays left out while its operation stays the same, so
 * a refinement of another line does not undo the choice.
 */
export function useChosen(number: number | undefined, entries: DiffEntry[]) {
  const [state, setState] = useState<{ number: number | undefined; out: ReadonlySet<string> }>({
    number,
    out: new Set(),
  });
  const out = state.number === number ? state.out : new Set<string>();
  const identity = (entry: DiffEntry) => `${entry.op}:${entry.task}`;
  const open = entries.filter((entry) => entry.state !== "rejected");
  const chosen = new Set(open.filter((entry) => !out.has(identity(entry))).map((entry) => entry.index));

  const toggle = (index: number) => {
    const entry = open.find((candidate) => candidate.index === index);
    if (!entry) return;
    const next = new Set(out);
    if (!next.delete(identity(entry))) next.add(identity(entry));
    setState({ number, out: next });
  };
  /** Puts all of them back in, or leaves all of them out. */
  const setAll = (kept: boolean) => setState({ number, out: kept ? new Set() : new Set(open.map(identity)) });
  return { chosen, toggle, setAll, isAll: chosen.size === open.length };
}
