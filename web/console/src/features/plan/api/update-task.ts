import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import type { TaskBody } from "@/shared/api/types";
import { useSettleTask } from "./use-settle-task";

/** Absent fields stay, null clears. */
export function useUpdateTask(ref: string) {
  const settle = useSettleTask();
  return useMutation({
    mutationFn: async (change: TaskBody) =>
      body(await api.PATCH("/api/v1/tasks/{task}", { params: { path: { task: ref } }, body: change })),
    onSuccess: settle,
  });
}
