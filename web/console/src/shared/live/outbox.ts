import type { DiffEntry, Problem } from "../api/types";
import type { CommandFrame } from "./frames";

/** A message of ours whose outcome is not known yet, with what has arrived of it so far. */
export interface InFlight {
  frame: CommandFrame;
  sentAt: string;
  /** The server's id of the command, once it has acknowledged it. */
  command?: string;
  streamedText: string;
  operations: DiffEntry[];
  /** The open proposal it led to; its diff replaces `operations` when it is loaded. */
  proposal?: number;
  problem?: Problem;
}

const KEY = "patchbay.outbox";

/** The messages under way. Kept in the tab's storage, so that a reload neither loses nor repeats one. */
export class Outbox {
  #items: readonly InFlight[] = restore();
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly items = () => this.#items;

  add(frame: CommandFrame) {
    const item = { frame, sentAt: new Date().toISOString(), streamedText: "", operations: [] };
    this.#set([...this.#items, item]);
  }

  update(id: string, change: (item: InFlight) => Partial<InFlight>) {
    if (!this.#items.some((item) => item.frame.id === id)) return;
    this.#set(this.#items.map((item) => (item.frame.id === id ? { ...item, ...change(item) } : item)));
  }

  remove(id: string) {
    this.#set(this.#items.filter((item) => item.frame.id !== id));
  }

  clear() {
    this.#set([]);
  }

  /** What to send again on a new connection: everything without an outcome. What had streamed is dropped, it will come again. */
  resend(): CommandFrame[] {
    const waiting = this.#items.filter((item) => !item.problem);
    this.#set(this.#items.map((item) => (item.problem ? item : { ...item, streamedText: "", operations: [] })));
    return waiting.map((item) => item.frame);
  }

  #set(items: readonly InFlight[]) {
    this.#items = items;
    try {
      if (items.length === 0) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, JSON.stringify(items.map(({ frame, sentAt }) => ({ frame, sentAt }))));
    } catch {
      // Without storage the messages survive a lost connection, though not a reload.
    }
    for (const listener of this.#listeners) listener();
  }
}

/** Operations by their index: the same one arriving again replaces itself. */
export function withOperation(operations: readonly DiffEntry[], arrived: DiffEntry): DiffEntry[] {
  return [...operations.filter((entry) => entry.index !== arrived.index), arrived].sort((a, b) => a.index - b.index);
}

function restore(): InFlight[] {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Pick<InFlight, "frame" | "sentAt">[];
    return kept.map((item) => ({ ...item, streamedText: "", operations: [] }));
  } catch {
    return [];
  }
}
