import { infiniteQueryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { JobState } from "@/shared/api/types";

/** Newest first, a page at a time. */
export const jobsQuery = (state?: JobState) =>
  infiniteQueryOptions({
    queryKey: keys.jobs(state),
    queryFn: async ({ signal, pageParam }) =>
      body(await api.GET("/api/v1/jobs", { signal, params: { query: { state, limit: 50, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
    // What runs in the background tells nobody of its steps.
    refetchInterval: 5_000,
  });

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
