import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { NewKey } from "@/shared/api/types";

/** The answer has the secret, this once. */
export function useCreateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: NewKey) => body(await api.POST("/api/v1/keys", { body: input })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
    // Nothing keeps the secret when nobody looks at it any more.
    gcTime: 0,
  });
}
