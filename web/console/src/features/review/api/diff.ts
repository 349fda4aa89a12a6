import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Diff } from "@/shared/api/types";

/** What the proposal would do, as lines for people; without `revision` as it stands now. */
export const diffQuery = (number: number, revision?: number) =>
  queryOptions({
    queryKey: keys.diff(number, revision),
    queryFn: async ({ signal }) =>
      // The address answers in other forms too; this one is asked for.
      body(
        await api.GET("/api/v1/proposals/{number}/diff", {
          params: { path: { number }, query: { format: "json", revision } },
          signal,
        }),
      ) as Diff,
  });
