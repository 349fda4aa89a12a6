import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { NewSource, SourceUpdate, TrySource } from "@/shared/api/types";

export const sourcesQuery = queryOptions({
  queryKey: keys.sources,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/webhooks/sources", { signal })).data,
});

/** The newest twenty. */
export const deliveriesQuery = (id: string) =>
  queryOptions({
    queryKey: keys.deliveries(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/webhooks/sources/{id}/deliveries", {
          params: { path: { id }, query: { limit: 20 } },
          signal,
        }),
      ).data,
    // Who delivers tells the console nothing.
    refetchInterval: 5_000,
  });

export function useAddSource() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (source: NewSource) => body(await api.POST("/api/v1/webhooks/sources", { body: source })),
    // The answer has a secret in it.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.sources }),
  });
}

export function useUpdateSource() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, change }: { id: string; change: SourceUpdate }) =>
      body(await api.PATCH("/api/v1/webhooks/sources/{id}", { params: { path: { id } }, body: change })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.sources }),
  });
}

export function useRotateSource(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (rotate: { overlap_hours: number }) =>
      body(await api.POST("/api/v1/webhooks/sources/{id}/rotate", { params: { path: { id } }, body: rotate })),
    // The answer has a secret in it.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.sources }),
  });
}

/** What a filter and a template would make of a delivery; nothing is done. */
export function useTrySource() {
  return useMutation({
    mutationFn: async ({ id, tried }: { id: string; tried: TrySource }) =>
      body(await api.POST("/api/v1/webhooks/sources/{id}/try", { params: { path: { id } }, body: tried })),
  });
}
