import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** What came with the messages that led to a proposal. */
export const filesQuery = (number: number) =>
  queryOptions({
    queryKey: keys.files(number),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/proposals/{number}/files", { params: { path: { number } }, signal })).data,
  });
