import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** One's own; an admin sees everybody's. */
export const keysQuery = queryOptions({
  queryKey: keys.apiKeys,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/keys", { signal })).data,
});
