import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import { useChange } from "@/shared/api/use-change";

export const agentsQuery = queryOptions({
  queryKey: keys.agents,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/collab/state/agents", { signal })).agents,
  // That somebody falls silent is told; when they were last seen is not.
  refetchInterval: 15_000,
});

export const leasesQuery = queryOptions({
  queryKey: keys.leases,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/collab/state/locks", { signal })).locks,
  // A heartbeat puts the end of a lease off without a word.
  refetchInterval: 5_000,
});

/** Tasks that wait for nothing and that nobody holds, the most urgent first. */
export const readyQuery = (project?: string) =>
  queryOptions({
    queryKey: keys.ready(project),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/collab/ready", { signal, params: { query: { project, limit: 200 } } })).data,
  });

export const useSteal = (id: string) =>
  useChange(keys.collab, async (asked: { reason: string; ttl_seconds: number }) =>
    body(await api.POST("/api/v1/collab/leases/{id}/steal", { params: { path: { id } }, body: asked })),
  );

export const useRelease = () =>
  useChange(keys.collab, async (id: string) => {
    await api.POST("/api/v1/collab/leases/{id}/release", { params: { path: { id } }, body: {} });
  });
