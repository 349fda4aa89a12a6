import type { AnyRouter } from "@tanstack/react-router";

/** How long nothing has to happen where the browser cannot say that it is idle, in milliseconds. */
const QUIET = 200;

/**
 * Fetches the pages that were not opened yet, one after another and while the browser has nothing else to do: going to one waits for nothing
 * then, and a release meanwhile takes none away. Whoever saves data fetches what they open. Returns what ends it.
 */
export function prefetchPages(router: AnyRouter, others: (() => Promise<void>)[]): () => void {
  let isOver = savesData();
  const all = [...others, ...Object.values(router.routesById).map((route) => () => router.loadRouteChunk(route))];
  const run = async () => {
    for (const load of all) {
      await idle();
      if (isOver) return;
      try {
        await load();
      } catch {
        // Whoever goes there asks again, and is told.
        return;
      }
    }
  };
  void run();
  return () => {
    isOver = true;
  };
}

const idle = () =>
  new Promise<unknown>((resolve) => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(resolve, { timeout: 2_000 });
    else setTimeout(resolve, QUIET);
  });

const savesData = () =>
  (navigator as Navigator & { connection?: { saveData?: boolean } }).connection?.saveData === true;
