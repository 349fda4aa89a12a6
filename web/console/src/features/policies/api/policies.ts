import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Rule } from "@/shared/api/types";

export const policyQuery = queryOptions({
  queryKey: keys.policy,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/policies", { signal })),
});

/** What other rules would have done to the last 500 proposals. Changes nothing. */
export function usePreviewPolicy() {
  return useMutation({
    mutationFn: async (rules: Rule[]) => body(await api.POST("/api/v1/policies/preview", { body: { rules } })),
  });
}

export function usePutPolicy() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: { rules: Rule[]; base_version: number; note: string }) =>
      body(await api.PUT("/api/v1/policies", { body: input })),
    onSuccess: (policy) => client.setQueryData(keys.policy, policy),
    onSettled: () => client.invalidateQueries({ queryKey: keys.policy }),
  });
}
