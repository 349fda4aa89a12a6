import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";

/** What a one-time link is for. Reading it changes nothing; a used or expired one is a 410 problem. */
export const welcomeQuery = (token: string) =>
  queryOptions({
    queryKey: ["welcome", token],
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/session/welcome", { params: { query: { t: token } }, signal })),
    enabled: token !== "",
  });
