import { calendarDay, duration } from "./time";

const LABELS: Record<string, string> = {
  title: "Title",
  description: "Description",
  status: "Status",
  priority: "Priority",
  kind: "Kind",
  effort: "Effort",
  estimate_minutes: "Estimate",
  assignee: "Assignee",
  due_on: "Due",
  labels: "Labels",
  depends_on: "Waits for",
  blocker: "Blocked by",
  acceptance_criteria: "Acceptance criteria",
  references: "References",
  external_refs: "External references",
  parent_id: "Parent",
  summary: "Summary",
  process: "Process",
  time_zone: "Time zone",
  key: "Key",
};

export function fieldLabel(field: string): string {
  return LABELS[field] ?? field.replaceAll("_", " ");
}

/** A field's value as people read it; null where there is none. */
export function fieldText(field: string, value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (field === "due_on" && typeof value === "string") return calendarDay(value);
  if (field === "estimate_minutes" && typeof value === "number") return duration(value);
  if (Array.isArray(value)) return value.length === 0 ? null : value.map((item) => criterionText(item)).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

/** A list item: a plain text, or an acceptance criterion. */
export function criterionText(item: unknown): string {
  if (typeof item === "object" && item !== null && "text" in item) return String(item.text);
  return String(item);
}
