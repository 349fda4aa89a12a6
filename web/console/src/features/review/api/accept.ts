import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import type { Proposal } from "@/shared/api/types";
import { useRefreshProposal, useSettleProposal } from "./use-settle-proposal";

/** Accepts all, or with `ops` only those. `digest` is of the diff that was looked at: another one is refused. */
export function useAccept(number: number, onAccepted: (proposal: Proposal) => void) {
  const settle = useSettleProposal();
  const refresh = useRefreshProposal(number);
  return useMutation({
    mutationFn: async (input: { ops?: number[]; digest?: string }) =>
      body(await api.POST("/api/v1/proposals/{number}/accept", { params: { path: { number } }, body: input })),
    onSuccess: async (proposal) => {
      await settle(proposal);
      onAccepted(proposal);
    },
    onError: refresh,
  });
}
