import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { NewEndpoint } from "@/shared/api/types";

export const endpointsQuery = queryOptions({
  queryKey: keys.endpoints,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/webhooks/endpoints", { signal })).data,
});

/** The newest twenty. */
export const sentQuery = (id: string) =>
  queryOptions({
    queryKey: keys.sent(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/webhooks/endpoints/{id}/deliveries", {
          params: { path: { id }, query: { limit: 20 } },
          signal,
        }),
      ).data,
    refetchInterval: 5_000,
  });

export function useAddEndpoint() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (endpoint: NewEndpoint) => body(await api.POST("/api/v1/webhooks/endpoints", { body: endpoint })),
    // The answer has a secret in it.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.endpoints }),
  });
}

export function useSwitchEndpoint() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, enabled }: { id: string; enabled: boolean }) =>
      body(await api.PATCH("/api/v1/webhooks/endpoints/{id}", { params: { path: { id } }, body: { enabled } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.endpoints }),
  });
}

export function useRotateEndpoint(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (rotate: { overlap_hours: number }) =>
      body(await api.POST("/api/v1/webhooks/endpoints/{id}/rotate", { params: { path: { id } }, body: rotate })),
    // The answer has a secret in it.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.endpoints }),
  });
}

export function useResend(endpoint: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (delivery: string) => {
      await api.POST("/api/v1/webhooks/endpoints/{id}/deliveries/{delivery}/resend", {
        params: { path: { id: endpoint, delivery } },
      });
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.sent(endpoint) }),
  });
}
