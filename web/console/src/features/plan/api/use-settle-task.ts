import { useQueryClient } from "@tanstack/react-query";
import { keys } from "@/shared/api/keys";
import type { Task } from "@/shared/api/types";

/** After a task was changed by hand: shows the server's answer and refreshes what else shows it. */
export function useSettleTask() {
  const client = useQueryClient();
  return (task: Task) => {
    client.setQueryData(keys.task(task.ref), task);
    void client.invalidateQueries({ queryKey: keys.taskHistory(task.ref) });
    void client.invalidateQueries({ queryKey: keys.tree(task.project) });
    void client.invalidateQueries({ queryKey: keys.revisions(task.project) });
    void client.invalidateQueries({ queryKey: keys.projects });
  };
}
