import type { FormEvent } from "react";
import { toast } from "sonner";
import { faultsByField, messageOf } from "@/shared/api/problem";
import type { Delivery, Source } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, SelectField, TextArea, TextField } from "@/shared/ui/field";
import { useTrySource, useUpdateSource } from "./api/sources";

const FIELDS = ["filter", "template", "makes"] as const;

interface TryDialogProps {
  source: Source;
  /** Null: the newest. */
  delivery: Delivery | null;
  onClose: () => void;
}

/** Tries a filter and a template on a delivery, without an effect, until they are right; then keeps them. */
export function TryDialog({ source, delivery, onClose }: TryDialogProps) {
  const attempt = useTrySource();
  const keep = useUpdateSource();
  const faults = keep.error ? faultsByField(keep.error, FIELDS) : null;
  const read = (form: HTMLFormElement) => {
    const data = new FormData(form);
    return {
      filter: String(data.get("filter")).trim() || null,
      template: String(data.get("template")).trim() || null,
      makes: data.get("makes") === "command" ? ("command" as const) : ("plan" as const),
    };
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    attempt.mutate({ id: source.id, tried: { ...read(event.currentTarget), delivery: delivery?.id ?? null } });
  };
  const save = (form: HTMLFormElement | null) =>
    form &&
    keep.mutate(
      { id: source.id, change: read(form) },
      {
        onSuccess: () => {
          toast.success(`${source.name} does so from now on.`);
          onClose();
        },
      },
    );
  return (
    <Dialog open onClose={onClose} title={`Try ${source.name}`} testId="try-source">
      <form onSubmit={submit} className="space-y-3.5">
        <p className="text-ink-soft text-sm">
          {delivery ? `On the delivery ${delivery.event}` : "On the newest delivery"}. Nothing is done.
        </p>
        <TextField
          label="Filter"
          name="filter"
          autoFocus
          autoComplete="off"
          className="font-mono"
          defaultValue={source.filter ?? ""}
          placeholder="@.event == 'issues.opened'"
          hint="Empty: all deliveries."
          error={faults?.at.filter}
        />
        <TextArea
          label="Template"
          name="template"
          rows={5}
          className="font-mono"
          defaultValue={source.template ?? ""}
          placeholder="- {{ payload.issue.title }}"
          hint={`Empty: the recipe “${source.recipe}”.`}
          error={faults?.at.template}
        />
        <SelectField label="It makes" name="makes" defaultValue={source.makes}>
          <option value="plan">a message to the planner: a proposal</option>
          <option value="command">commands, one a line</option>
        </SelectField>
        <div role="status" data-testid="tried">
          {attempt.data &&
            (attempt.data.text === null ? (
              <p className="text-ink-soft text-sm">Nothing would be done: {attempt.data.why}.</p>
            ) : (
              <pre className="max-h-48 overflow-auto whitespace-pre-wrap break-words rounded-md bg-sunken p-3 font-mono text-xs">
                {attempt.data.text}
              </pre>
            ))}
        </div>
        <FormFaults faults={attempt.error ? [messageOf(attempt.error)] : (faults?.rest ?? [])} />
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button busy={keep.isPending} onClick={(event) => save(event.currentTarget.form)}>
            Keep it so
          </Button>
          <Button type="submit" look="primary" busy={attempt.isPending}>
            Try
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
