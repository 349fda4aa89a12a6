import { useEffect, useState } from "react";
import type { EventEntry } from "@/shared/api/types";
import type { EventFilter } from "./api/events";

export type TailStatus = "connecting" | "live" | "broken";

/** The most that is kept of what comes; older ones are read from the log. */
const MOST = 500;
/** How long after a refusal it is tried again. */
const AGAIN_MS = 5_000;

/**
 * What happens after `since`, newest first, as the server tells it. A connection that breaks goes on where it was, by the id of the
 * last event; nothing is shown twice.
 */
export function useTail(filter: EventFilter, since: number | undefined): { events: EventEntry[]; status: TailStatus } {
  const query = new URLSearchParams({ ...filter, since: String(since) }).toString();
  const [state, setState] = useState({ query, events: [] as EventEntry[], status: "connecting" as TailStatus });
  // What came for another filter is not for this one.
  const current = state.query === query ? state : { query, events: [], status: "connecting" as const };
  if (current !== state) setState(current);

  useEffect(() => {
    if (since === undefined) return;
    const become = (status: TailStatus) => setState((known) => (known.query === query ? { ...known, status } : known));
    let timer: ReturnType<typeof setTimeout> | undefined;
    let source: EventSource;
    const open = () => {
      source = new EventSource(`/api/v1/collab/events/tail?${query}`);
      source.onopen = () => become("live");
      source.onerror = () => {
        become("broken");
        // It comes back by itself from a connection that broke, and not from an answer that was no stream.
        if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
      };
      source.onmessage = ({ data }) => {
        const event = JSON.parse(data) as EventEntry;
        setState((known) => {
          const newest = known.events[0]?.seq ?? since;
          if (known.query !== query || event.seq <= newest) return known;
          return { ...known, events: [event, ...known.events].slice(0, MOST) };
        });
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      source.close();
    };
  }, [query, since]);
  return current;
}
