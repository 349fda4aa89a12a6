import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export function useRevokeKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE("/api/v1/keys/{id}", { params: { path: { id } } });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.apiKeys }),
  });
}
