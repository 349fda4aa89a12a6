import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** Which events are wanted: names or subjects with commas between, a task, a member, a project. */
export interface EventFilter {
  event?: string;
  task?: string;
  actor?: string;
  project?: string;
}

/** The newest events that are wanted, and from there back. What comes later comes by the tail, so they are read once. */
export const eventsQuery = (filter: EventFilter) =>
  infiniteQueryOptions({
    queryKey: keys.events(filter),
    queryFn: async ({ signal, pageParam }) =>
      body(
        await api.GET("/api/v1/collab/events", {
          signal,
          params: { query: { ...filter, newest: true, limit: 50, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });

/** The newest 200 of them, as an account for people. */
export const logQuery = (filter: EventFilter) =>
  queryOptions({
    queryKey: keys.eventLog(filter),
    queryFn: async ({ signal }) =>
      (await api.GET("/api/v1/collab/log", { signal, parseAs: "text", params: { query: { ...filter, limit: 200 } } }))
        .data as string,
    staleTime: 0,
    gcTime: 0,
  });

export interface AuditFilter {
  actor?: string;
  action?: string;
  target?: string;
}

/** Who did what, newest first. Only for admins: others get a 403 problem. */
export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: keys.audit(filter),
    queryFn: async ({ signal, pageParam }) =>
      body(await api.GET("/api/v1/audit", { signal, params: { query: { ...filter, limit: 50, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
  });
