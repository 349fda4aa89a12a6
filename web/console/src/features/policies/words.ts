import { ROLES } from "@/shared/api/roles";
import type { Rule } from "@/shared/api/types";
import { fieldLabel } from "@/shared/lib/fields";

const any = (words: string[]) => new Intl.ListFormat("en", { type: "disjunction" }).format(words);
const all = (words: string[]) => new Intl.ListFormat("en", { type: "conjunction" }).format(words);
const days = (count: number) => (count === 1 ? "a day" : `${count} days`);

export const TRUST = { verified: "verified", linked: "only linked", untrusted: "not verified" } as const;

/** Which proposals a rule is for: "that removes a task and is by an agent". */
export function when(rule: Rule): string {
  const { min_operations, min_deletes, fields, origins, trust, projects, authors } = rule.when ?? {};
  const parts: string[] = [];
  if (min_deletes) parts.push(min_deletes === 1 ? "removes a task" : `removes ${min_deletes} tasks or more`);
  if (min_operations) parts.push(`has ${min_operations} operations or more`);
  if (fields?.length) parts.push(`changes ${any(fields.map((field) => fieldName(field)))}`);
  if (projects?.length) parts.push(`is for ${any(projects)}`);
  if (authors?.length) parts.push(`is by ${any(authors.map((role) => `a ${ROLES[role].title.toLowerCase()}`))}`);
  if (origins?.length) parts.push(`came by ${any(origins)}`);
  if (trust?.length) parts.push(`comes from a source that is ${any(trust.map((degree) => TRUST[degree]))}`);
  return parts.length === 0 ? "Every proposal" : `A proposal that ${all(parts)}`;
}

/** What it needs then: "needs 2 approvals, none of them its author's". */
export function needs(rule: Rule): string {
  const { approvals = 1, own = "counts", by, remind_after_days, expire_after_days } = rule.require ?? {};
  const people = by?.length ? ` of ${any(by.map((role) => `${ROLES[role].title.toLowerCase()}s`))}` : "";
  const count = approvals === 1 ? `an approval${people}` : `${approvals} approvals${people}`;
  const mine = { counts: "", if_alone: ", not its author's if there is anybody else", never: ", never its author's" }[
    own
  ];
  const parts = [`needs ${count}${mine}`];
  if (remind_after_days) parts.push(`is reminded of after ${days(remind_after_days)}`);
  if (expire_after_days) parts.push(`expires after ${days(expire_after_days)}`);
  return parts.join("; ");
}

export const FIELDS = [
  "title",
  "description",
  "status",
  "priority",
  "assignee",
  "due_on",
  "estimate_minutes",
  "depends_on",
  "acceptance_criteria",
  "labels",
  "place",
  "project.title",
  "project.summary",
] as const;

export function fieldName(field: string): string {
  if (field === "place") return "where a task stands";
  if (field.startsWith("project.")) return `the project's ${fieldLabel(field.slice(8)).toLowerCase()}`;
  return fieldLabel(field).toLowerCase();
}
