import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export function useComment(number: number) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (text: string) =>
      body(await api.POST("/api/v1/proposals/{number}/comments", { params: { path: { number } }, body: { text } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.proposal(number) }),
  });
}
