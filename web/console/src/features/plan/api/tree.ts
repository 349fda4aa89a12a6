import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export const treeQuery = (project: string) =>
  queryOptions({
    queryKey: keys.tree(project),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/projects/{project}/tree", { params: { path: { project } }, signal })),
  });
