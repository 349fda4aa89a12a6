import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Job, JobState, NewJob } from "@/shared/api/types";
import { useChange } from "@/shared/api/use-change";

interface Which {
  state?: JobState;
  /** Only what people ran. */
  tools?: boolean;
}

/** Newest first, a page at a time. */
export const jobsQuery = ({ state, tools }: Which = {}) =>
  infiniteQueryOptions({
    queryKey: keys.jobs(state, tools),
    queryFn: async ({ signal, pageParam }) =>
      body(
        await api.GET("/api/v1/jobs", { signal, params: { query: { state, tools, limit: 50, cursor: pageParam } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
    // What runs in the background tells nobody of its steps.
    refetchInterval: 5_000,
  });

const OVER: JobState[] = ["done", "dead", "cancelled"];
export const isOver = (job: Job) => OVER.includes(job.state);

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: keys.job(id),
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/jobs/{id}", { signal, params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : 1_000),
  });

export const useRunTool = () =>
  useChange(keys.allJobs, async (job: Pick<NewJob, "tool" | "input">) =>
    body(
      await api.POST("/api/v1/jobs", { body: { preset: null, priority: null, run_at: null, due_by: null, ...job } }),
    ),
  );

export const useCancelJob = () =>
  useChange(keys.allJobs, async (id: string) =>
    body(await api.POST("/api/v1/jobs/{id}/cancel", { params: { path: { id } } })),
  );

export const useRetryJob = () =>
  useChange(keys.allJobs, async ({ id, payload }: { id: string; payload?: unknown }) =>
    body(await api.POST("/api/v1/jobs/{id}/retry", { params: { path: { id } }, body: { payload } })),
  );
