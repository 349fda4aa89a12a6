import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** Takes a member out; their sessions end and their keys are taken back. */
export function useRemoveMember() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE("/api/v1/members/{id}", { params: { path: { id } } });
    },
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.members }),
        client.invalidateQueries({ queryKey: keys.apiKeys }),
      ]),
  });
}
