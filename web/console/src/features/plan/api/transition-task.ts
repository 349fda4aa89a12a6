import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useSettleTask } from "./use-settle-task";

export function useTransitionTask(ref: string) {
  const settle = useSettleTask();
  return useMutation({
    mutationFn: async (input: { to: string; reason?: string }) =>
      body(await api.POST("/api/v1/tasks/{task}/transition", { params: { path: { task: ref } }, body: input })),
    onSuccess: settle,
  });
}
