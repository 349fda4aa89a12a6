import type { TaskNode } from "@/shared/api/types";
import type { Steps } from "./use-steps";

/** How many of the tasks are done, those above others too: as the list of projects counts. */
export function progressOf(tasks: TaskNode[], steps: Steps): { done: number; total: number } {
  let done = 0;
  let total = 0;
  const count = (list: TaskNode[]) => {
    for (const task of list) {
      total += 1;
      if (steps.of(task.status).kind === "done") done += 1;
      count(task.subtasks);
    }
  };
  count(tasks);
  return { done, total };
}
