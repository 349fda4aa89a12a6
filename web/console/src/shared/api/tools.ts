import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { keys } from "./keys";

export const toolsQuery = queryOptions({
  queryKey: keys.tools,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/tools", { signal })).data,
  staleTime: Number.POSITIVE_INFINITY,
});
