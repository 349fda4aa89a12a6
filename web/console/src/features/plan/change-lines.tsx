import { ArrowRight, Circle } from "lucide-react";
import type { DiffEntry, FieldChange } from "@/shared/api/types";
import { criterionText, fieldLabel, fieldText } from "@/shared/lib/fields";
import { Words } from "@/shared/ui/words";

/** Shown on the line itself, so not again below it. */
const ON_THE_LINE = new Set(["title", "parent_id", "after"]);

export function detailChanges(entry: DiffEntry): FieldChange[] {
  return entry.changes.filter(
    (change) =>
      !ON_THE_LINE.has(change.field) && (entry.op !== "create" || fieldText(change.field, change.after) !== null),
  );
}

/** What an operation changes field by field: for a new task its values, for an existing one before and after. */
export function ChangeLines({ entry, nameOf }: { entry: DiffEntry; nameOf: (task: string) => string }) {
  const called = (value: unknown) => (Array.isArray(value) ? value.map((task) => nameOf(String(task))) : value);
  const changes = detailChanges(entry).map((change) =>
    change.field === "depends_on" ? { ...change, before: called(change.before), after: called(change.after) } : change,
  );
  return <FieldChanges changes={changes} isNew={entry.op === "create"} />;
}

export function FieldChanges({ changes, isNew = false }: { changes: FieldChange[]; isNew?: boolean }) {
  return (
    <dl className="space-y-1 text-sm">
      {changes.map((change) => (
        <div key={change.field} className="grid grid-cols-[7.5rem_minmax(0,1fr)] gap-x-2">
          <dt className="truncate text-ink-mute text-xs leading-5">{fieldLabel(change.field)}</dt>
          <dd className="min-w-0 break-words text-ink-soft">
            {isNew ? <NewValue change={change} /> : <BeforeAfter change={change} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function NewValue({ change }: { change: FieldChange }) {
  if (change.field === "acceptance_criteria" && Array.isArray(change.after)) {
    return (
      <ul className="space-y-0.5">
        {change.after.map((item) => (
          <li key={criterionText(item)} className="flex gap-1.5">
            <Circle className="mt-1.25 size-2.5 shrink-0 text-added-ink" aria-hidden="true" />
            {criterionText(item)}
          </li>
        ))}
      </ul>
    );
  }
  return <span className="whitespace-pre-wrap">{fieldText(change.field, change.after)}</span>;
}

function BeforeAfter({ change }: { change: FieldChange }) {
  if (change.words) {
    return (
      <span className="whitespace-pre-wrap">
        <Words words={change.words} />
      </span>
    );
  }
  if (Array.isArray(change.before) || Array.isArray(change.after))
    return <ListChange before={change.before} after={change.after} />;
  const before = fieldText(change.field, change.before);
  const after = fieldText(change.field, change.after);
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5">
      {before === null ? (
        <span className="text-ink-mute">none</span>
      ) : (
        <del className="text-removed-ink decoration-removed-line">{before}</del>
      )}
      <ArrowRight className="size-3 text-ink-mute" aria-label="becomes" />
      {after === null ? (
        <span className="text-ink-mute">none</span>
      ) : (
        <ins className="font-medium text-added-ink no-underline">{after}</ins>
      )}
    </span>
  );
}

function ListChange({ before, after }: { before: unknown; after: unknown }) {
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(criterionText) : []);
  const [old, now] = [texts(before), texts(after)];
  const gone = old.filter((text) => !now.includes(text));
  const come = now.filter((text) => !old.includes(text));
  if (gone.length + come.length === 0) return <span className="text-ink-mute">order or state only</span>;
  return (
    <ul className="space-y-0.5">
      {gone.map((text) => (
        <li key={`-${text}`}>
          <del className="text-removed-ink decoration-removed-line">{text}</del>
        </li>
      ))}
      {come.map((text) => (
        <li key={`+${text}`}>
          <ins className="text-added-ink no-underline">{text}</ins>
        </li>
      ))}
    </ul>
  );
}
