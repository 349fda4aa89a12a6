import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export const taskHistoryQuery = (ref: string) =>
  queryOptions({
    queryKey: keys.taskHistory(ref),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/tasks/{task}/history", { params: { path: { task: ref } }, signal })).data,
  });
