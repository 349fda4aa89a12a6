import type { DiffEntry, TaskBody, TaskNode } from "@/shared/api/types";
import { duration } from "@/shared/lib/time";

/** An operation as the texts of a form. */
export type EditValues = Record<
  | "title"
  | "description"
  | "priority"
  | "effort"
  | "estimate_minutes"
  | "due_on"
  | "assignee"
  | "labels"
  | "acceptance_criteria",
  string
>;

const NAMES: (keyof EditValues)[] = [
  "title",
  "description",
  "priority",
  "effort",
  "estimate_minutes",
  "due_on",
  "assignee",
  "labels",
  "acceptance_criteria",
];

/** The values that the task would have after the operation. */
export function valuesOf(entry: DiffEntry, task: TaskNode | null): EditValues {
  const values = {} as EditValues;
  for (const name of NAMES) {
    const change = entry.changes.find(({ field }) => field === name);
    values[name] = textOf(name, change ? change.after : task?.[name]);
  }
  if (!values.title) values.title = entry.title;
  return values;
}

export function readForm(form: FormData): EditValues {
  return Object.fromEntries(NAMES.map((name) => [name, String(form.get(name) ?? "").trim()])) as EditValues;
}

/** Only what was changed in the form, in the shape of a patch's body; an emptied field is cleared. */
export function bodyChanges(before: EditValues, after: EditValues, minutes: (text: string) => number | null): TaskBody {
  const body: TaskBody = {};
  const lines = (text: string) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  for (const name of NAMES) {
    const text = after[name];
    if (text === before[name].trim()) continue;
    if (name === "title") body.title = text;
    else if (name === "labels")
      body.labels = text
        .split(",")
        .map((label) => label.trim())
        .filter(Boolean);
    else if (name === "acceptance_criteria")
      body.acceptance_criteria = lines(text).map((line) => ({ text: line, done: false }));
    else if (name === "estimate_minutes") body.estimate_minutes = text === "" ? null : minutes(text);
    else Object.assign(body, { [name]: text === "" ? null : text });
  }
  return body;
}

function textOf(name: keyof EditValues, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (name === "estimate_minutes" && typeof value === "number") return duration(value);
  if (name === "acceptance_criteria" && Array.isArray(value)) {
    return value
      .map((item) => (typeof item === "object" && item && "text" in item ? String(item.text) : String(item)))
      .join("\n");
  }
  return Array.isArray(value) ? value.join(", ") : String(value);
}
