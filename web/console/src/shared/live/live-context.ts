import { createContext, useContext, useMemo, useSyncExternalStore } from "react";
import type { Live } from "./live";
import type { InFlight } from "./outbox";

export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (!live) throw new Error("useLive needs a LiveContext above it");
  return live;
}

export function useLiveStatus() {
  const live = useLive();
  return useSyncExternalStore(live.subscribeStatus, live.status);
}

/** Our own messages under way in one conversation: a task's, else a project's, else the organisation's. */
export function useInFlight(project?: string, task?: string): InFlight[] {
  const { outbox } = useLive();
  const items = useSyncExternalStore(outbox.subscribe, outbox.items);
  return useMemo(
    () => items.filter(({ frame }) => frame.project === project && frame.task === task),
    [items, project, task],
  );
}
