import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import type { Settlement } from "@/shared/api/types";
import { useRefreshProposal, useSettleProposal } from "./use-settle-proposal";

/** Settles one conflict; makes a new revision of the proposal. */
export function useResolve(number: number) {
  const settle = useSettleProposal();
  const refresh = useRefreshProposal(number);
  return useMutation({
    mutationFn: async (settlement: Settlement) =>
      body(await api.POST("/api/v1/proposals/{number}/resolve", { params: { path: { number } }, body: settlement })),
    onSuccess: settle,
    // The plan may have moved on meanwhile: what there is to settle now is shown.
    onError: refresh,
  });
}
