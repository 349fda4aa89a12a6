import { useMutation } from "@tanstack/react-query";
import { toast } from "sonner";
import { api, body } from "@/shared/api/client";
import type { Proposal } from "@/shared/api/types";
import { useRefreshProposal, useSettleProposal } from "./use-settle-proposal";

/** What a policy still asks for, in words. */
export function stillNeeded(proposal: Proposal): string {
  return proposal.standing?.needs.map((need) => need.text).join(" ") ?? "";
}

/** Accepts all, or with `ops` only those. `digest` is of the diff that was looked at: another one is refused. */
export function useAccept(number: number, onAccepted: (proposal: Proposal) => void) {
  const settle = useSettleProposal();
  const refresh = useRefreshProposal(number);
  return useMutation({
    mutationFn: async (input: { ops?: number[]; digest?: string }) =>
      body(await api.POST("/api/v1/proposals/{number}/accept", { params: { path: { number } }, body: input })),
    onSuccess: async (proposal) => {
      await settle(proposal);
      // A policy may want more than one to approve.
      if (proposal.state === "open") toast.success(`Approved. ${stillNeeded(proposal)}`);
      else onAccepted(proposal);
    },
    onError: refresh,
  });
}
