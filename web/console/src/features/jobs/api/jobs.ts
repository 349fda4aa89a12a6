import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Job, JobState, NewJob } from "@/shared/api/types";

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

export const toolsQuery = queryOptions({
  queryKey: keys.tools,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/tools", { signal })).data,
  staleTime: Number.POSITIVE_INFINITY,
});

export function useRunTool() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (job: Pick<NewJob, "tool" | "input">) =>
      body(await api.POST("/api/v1/jobs", { body: { priority: null, run_at: null, due_by: null, ...job } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.allJobs }),
  });
}

export function useCancelJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => body(await api.POST("/api/v1/jobs/{id}/cancel", { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.allJobs }),
  });
}

export function useRetryJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, payload }: { id: string; payload?: unknown }) =>
      body(await api.POST("/api/v1/jobs/{id}/retry", { params: { path: { id } }, body: { payload } })),
    onSettled: () => client.invalidateQueries({ queryKey: keys.allJobs }),
  });
}
