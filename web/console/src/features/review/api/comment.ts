import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useSettleProposal } from "./use-settle-proposal";

export function useComment(number: number) {
  const settle = useSettleProposal();
  return useMutation({
    mutationFn: async (text: string) =>
      body(await api.POST("/api/v1/proposals/{number}/comments", { params: { path: { number } }, body: { text } })),
    onSuccess: settle,
  });
}
