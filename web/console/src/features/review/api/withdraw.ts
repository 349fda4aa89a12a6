import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useSettleProposal } from "./use-settle-proposal";

export function useWithdraw(number: number) {
  const settle = useSettleProposal();
  return useMutation({
    mutationFn: async () =>
      body(await api.POST("/api/v1/proposals/{number}/withdraw", { params: { path: { number } } })),
    onSuccess: settle,
  });
}
