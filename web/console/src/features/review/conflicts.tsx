import { GitMerge } from "lucide-react";
import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Conflict, Proposal, Settlement } from "@/shared/api/types";
import { fieldLabel, fieldText } from "@/shared/lib/fields";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { useResolve } from "./api/resolve";

/** Where a proposal and what others did since disagree, each with the ways to settle it. */
export function Conflicts({ proposal }: { proposal: Proposal }) {
  const resolve = useResolve(proposal.number);
  const count = proposal.conflicts.length;
  if (count === 0) return null;
  const settle = (settlement: Settlement) =>
    resolve.mutate(settlement, {
      onSuccess: (next) => next.conflicts.length === 0 && toast.success("Settled. Nothing stands in its way."),
      onError: (error) => toast.error(messageOf(error)),
    });
  return (
    <section
      aria-label="Conflicts"
      data-testid="conflicts"
      className="mt-2.5 rounded-lg border border-changed-line bg-changed"
    >
      <h3 className="flex items-center gap-2 px-3 pt-2.5 font-medium text-changed-ink text-sm">
        <GitMerge className="size-4 shrink-0" aria-hidden="true" />
        {count === 1
          ? "One thing was changed by somebody else too"
          : `${count} things were changed by somebody else too`}
      </h3>
      <ol className="divide-y divide-changed-line">
        {proposal.conflicts.map((conflict) => (
          <Line
            key={`${conflict.number}:${conflict.path}`}
            conflict={conflict}
            busy={resolve.isPending}
            onSettle={settle}
          />
        ))}
      </ol>
    </section>
  );
}

interface LineProps {
  conflict: Conflict;
  busy: boolean;
  onSettle: (settlement: Settlement) => void;
}

function Line({ conflict, busy, onSettle }: LineProps) {
  const [typing, setTyping] = useState(false);
  const { field, entry } = placeOf(conflict.path);
  const can = (way: Conflict["choices"][number]) => conflict.choices.includes(way);
  const hasValues = field !== "" && can("ours");
  const name = field ? `${conflict.task} ${fieldLabel(field)}${entry ? ` (${entry})` : ""}` : conflict.task;
  return (
    <li className="px-3 py-2.5 text-sm" data-testid="conflict">
      <p>
        <span className="font-mono text-ink-soft text-xs">{conflict.task}</span>
        {field && (
          <span className="ml-2 font-medium">
            {fieldLabel(field)}
            {entry && <span className="text-ink-soft"> {entry}</span>}
          </span>
        )}
      </p>
      {hasValues ? (
        <dl className="mt-1 grid grid-cols-[6.5rem_minmax(0,1fr)] gap-x-2 gap-y-0.5">
          <Side term="It was" field={field} value={conflict.base} />
          <Side term="It is" field={field} value={conflict.theirs} by={conflict.by} />
          <Side term="Proposed" field={field} value={conflict.ours} />
        </dl>
      ) : (
        <p className="mt-0.5 text-ink-soft">
          {capitalised(conflict.why)}
          {conflict.by && <By by={conflict.by} />}
        </p>
      )}
      {conflict.choices.length === 0 ? (
        <p className="mt-1.5 text-ink-soft">Withdraw or reject the proposal, or edit its operations.</p>
      ) : (
        <div className="mt-2 flex flex-wrap items-center gap-1.5">
          {can("theirs") && (
            <Button
              size="small"
              disabled={busy}
              aria-label={`${name}: as it is`}
              onClick={() => onSettle({ conflict: conflict.number, take: "theirs", value: undefined })}
            >
              {hasValues ? "As it is" : "Leave it out"}
            </Button>
          )}
          {can("ours") && (
            <Button
              size="small"
              disabled={busy}
              aria-label={`${name}: as proposed`}
              onClick={() => onSettle({ conflict: conflict.number, take: "ours", value: undefined })}
            >
              {hasValues ? "As proposed" : "Do it anyway"}
            </Button>
          )}
          {can("value") && !typing && (
            <Button size="small" look="quiet" disabled={busy} onClick={() => setTyping(true)}>
              Another…
            </Button>
          )}
          {typing && (
            <Another
              field={field}
              label={`${name}: another value`}
              busy={busy}
              onCancel={() => setTyping(false)}
              onValue={(value) => onSettle({ conflict: conflict.number, value })}
            />
          )}
        </div>
      )}
    </li>
  );
}

function Side({ term, field, value, by }: { term: string; field: string; value: unknown; by?: Conflict["by"] }) {
  const text = fieldText(field, value);
  return (
    <>
      <dt className="text-ink-mute text-xs leading-5">{term}</dt>
      <dd className="min-w-0 whitespace-pre-wrap break-words">
        {text ?? <span className="text-ink-mute">none</span>}
        {by && <By by={by} />}
      </dd>
    </>
  );
}

function By({ by }: { by: NonNullable<Conflict["by"]> }) {
  const nameOf = useNames();
  return (
    <span className="ml-1.5 text-ink-mute text-xs">
      {nameOf(by.actor)}, <time title={fullTime(by.at)}>{relativeTime(by.at)}</time>, version {by.revision}
    </span>
  );
}

interface AnotherProps {
  field: string;
  label: string;
  busy: boolean;
  onValue: (value: unknown) => void;
  onCancel: () => void;
}

function Another({ field, label, busy, onValue, onCancel }: AnotherProps) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onValue(typed(field, text.trim()));
  };
  const type = field === "due_on" ? "date" : field === "estimate_minutes" ? "number" : "text";
  return (
    <form onSubmit={submit} className="flex min-w-0 flex-1 basis-48 items-center gap-1.5">
      <input
        // biome-ignore lint/a11y/noAutofocus: it was just asked for
        autoFocus
        type={type}
        aria-label={label}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onCancel();
        }}
        className="h-7 min-w-0 flex-1 rounded-md border border-line-strong bg-surface px-2 text-sm focus:outline-2 focus:outline-focus"
      />
      <Button size="small" look="primary" type="submit" busy={busy} disabled={field === "title" && text.trim() === ""}>
        Use it
      </Button>
    </form>
  );
}

/** What people type, as the field takes it; nothing clears it. */
function typed(field: string, text: string): unknown {
  if (text === "") return null;
  if (field === "estimate_minutes") return Number(text);
  if (["labels", "references", "depends_on"].includes(field)) return text.split(/[\s,]+/).filter(Boolean);
  return text;
}

/** The field, and the entry in it, that a path into a patch ends in. */
function placeOf(path: string): { field: string; entry: string } {
  const rest = path.split("/body/")[1] ?? path.split("/meta_updates/")[1] ?? "";
  const [field = "", ...entry] = rest.split("/");
  return { field, entry: entry.join("/").replaceAll("~1", "/").replaceAll("~0", "~") };
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
