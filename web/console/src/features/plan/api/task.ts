import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export const taskQuery = (ref: string) =>
  queryOptions({
    queryKey: keys.task(ref),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/tasks/{task}", { params: { path: { task: ref } }, signal })),
  });
