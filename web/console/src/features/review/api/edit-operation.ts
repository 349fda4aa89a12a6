import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import type { TaskBody } from "@/shared/api/types";
import { useSettleProposal } from "./use-settle-proposal";

/** Changes one operation; makes a new revision of the proposal. */
export function useEditOperation(number: number) {
  const settle = useSettleProposal();
  return useMutation({
    mutationFn: async (operation: { index: number; body: TaskBody }) =>
      body(
        await api.POST("/api/v1/proposals/{number}/edit", {
          params: { path: { number } },
          body: { operations: [operation] },
        }),
      ),
    onSuccess: settle,
  });
}
