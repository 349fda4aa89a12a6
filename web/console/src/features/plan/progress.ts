import type { TaskNode } from "@/shared/api/types";
import type { Steps } from "./use-steps";

/** How many of the tasks that have none below them are done. */
export function progressOf(tasks: TaskNode[], steps: Steps): { done: number; total: number } {
  let done = 0;
  let total = 0;
  const count = (list: TaskNode[]) => {
    for (const task of list) {
      if (task.subtasks.length > 0) count(task.subtasks);
      else {
        total += 1;
        if (steps.of(task.status).kind === "done") done += 1;
      }
    }
  };
  count(tasks);
  return { done, total };
}
