import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export const revisionsQuery = (project: string) =>
  queryOptions({
    queryKey: keys.revisions(project),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/projects/{project}/revisions", { params: { path: { project } }, signal })).data,
  });
