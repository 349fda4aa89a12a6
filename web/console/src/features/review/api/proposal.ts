import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export const proposalQuery = (number: number) =>
  queryOptions({
    queryKey: keys.proposal(number),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/proposals/{number}", { params: { path: { number } }, signal })),
  });
