import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Diff } from "@/shared/api/types";

/** What lies between two versions of a plan. What is past does not change. */
export const betweenQuery = (project: string, from: number, to: number) =>
  queryOptions({
    queryKey: keys.between(project, from, to),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) => {
      const found = body(
        await api.GET("/api/v1/projects/{project}/diff", {
          params: { path: { project }, query: { from, to } },
          signal,
        }),
      );
      const entries: Diff["entries"] = found.entries.map((entry) => ({ ...entry, state: "accepted", refined: null }));
      return { ...found, entries };
    },
  });

/** A plan as it was. */
export const treeAtQuery = (project: string, version: number) =>
  queryOptions({
    queryKey: keys.treeAt(project, version),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/projects/{project}/tree", { params: { path: { project }, query: { version } }, signal }),
      ),
  });
