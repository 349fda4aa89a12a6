import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { keys } from "./keys";

export const membersQuery = queryOptions({
  queryKey: keys.members,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/members", { signal })).data,
  staleTime: 60_000,
});
