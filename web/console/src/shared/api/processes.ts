import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { keys } from "./keys";

export const processesQuery = queryOptions({
  queryKey: keys.processes,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/processes", { signal })).data,
  staleTime: Number.POSITIVE_INFINITY,
});
