import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useSettleProposal } from "./use-settle-proposal";

export function useReject(number: number) {
  const settle = useSettleProposal();
  return useMutation({
    mutationFn: async (reason: string) =>
      body(await api.POST("/api/v1/proposals/{number}/reject", { params: { path: { number } }, body: { reason } })),
    onSuccess: settle,
  });
}
