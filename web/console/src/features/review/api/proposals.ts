import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Proposal } from "@/shared/api/types";

export const proposalsQuery = (state: Proposal["state"] | undefined, project?: string) =>
  queryOptions({
    queryKey: keys.proposalList(state, project),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/proposals", { params: { query: { state, project } }, signal })).data,
  });
