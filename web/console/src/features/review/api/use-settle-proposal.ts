import { useQueryClient } from "@tanstack/react-query";
import { keys } from "@/shared/api/keys";
import type { Proposal } from "@/shared/api/types";

/** After something was refused because the plan has moved on: shows what the proposal is now. */
export function useRefreshProposal(number: number) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: keys.proposal(number) });
}

/** After something was done to a proposal: shows the server's answer and refreshes the plan, the lists and the diff. */
export function useSettleProposal() {
  const client = useQueryClient();
  return async (proposal: Proposal) => {
    client.setQueryData(keys.proposal(proposal.number), proposal);
    await Promise.all([
      client.invalidateQueries({ queryKey: keys.proposals }),
      client.invalidateQueries({ queryKey: keys.projects }),
      client.invalidateQueries({ queryKey: ["commands"] }),
      client.invalidateQueries({ queryKey: ["task"] }),
      ...(proposal.project
        ? [
            client.invalidateQueries({ queryKey: keys.tree(proposal.project) }),
            client.invalidateQueries({ queryKey: keys.revisions(proposal.project) }),
          ]
        : []),
    ]);
  };
}
