import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useSettleTask } from "./use-settle-task";

export function useLogTime(ref: string) {
  const settle = useSettleTask();
  return useMutation({
    mutationFn: async (input: { minutes: number; note?: string }) =>
      body(await api.POST("/api/v1/tasks/{task}/time", { params: { path: { task: ref } }, body: input })),
    onSuccess: settle,
  });
}
