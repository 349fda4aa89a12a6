import type { Schedule, ScheduleRun } from "@/shared/api/types";
import { titleOf } from "@/shared/lib/json-schema";

/** What a schedule does, in a few words. */
export function actionText({ action }: Pick<Schedule, "action">): string {
  if (action.kind === "job") return `runs ${titleOf(action.tool).toLowerCase()}`;
  const project = action.project ? ` in ${action.project}` : "";
  return action.kind === "command" ? `does “${action.text}”${project}` : `asks for “${action.text}”${project}`;
}

export const MISSED: Record<Schedule["missed"], string> = {
  once: "are made up for by one run",
  skip: "are left out",
  catch_up: "are all made up for",
};

export const OVERLAP: Record<Schedule["overlap"], string> = {
  forbid: "is left out",
  queue: "waits its turn",
  allow: "runs beside it",
};

export const RUN_TONES: Record<ScheduleRun["state"], "neutral" | "accent" | "added" | "removed" | "changed"> = {
  waiting: "neutral",
  running: "accent",
  done: "added",
  failed: "removed",
  skipped: "changed",
};

/** Rules to begin with, one of each kind. */
export const EXAMPLES = [
  { title: "In words", rule: "every weekday 9:00" },
  { title: "Cron", rule: "0 17 * * 5" },
  { title: "One time", rule: "tomorrow 17:00" },
  { title: "Recurrence", rule: "DTSTART:20270104T090000\nRRULE:FREQ=MONTHLY;BYDAY=1MO\nEXDATE:20270201T090000" },
];
