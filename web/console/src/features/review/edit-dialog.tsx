import { useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { membersQuery } from "@/shared/api/members";
import { faultsByField } from "@/shared/api/problem";
import type { DiffEntry, TaskBody, TaskNode } from "@/shared/api/types";
import { parseDuration } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, SelectField, TextArea, TextField } from "@/shared/ui/field";
import { useEditOperation } from "./api/edit-operation";
import { bodyChanges, readForm, valuesOf } from "./edit-values";

const FIELDS = [
  "title",
  "description",
  "priority",
  "effort",
  "estimate_minutes",
  "due_on",
  "assignee",
  "labels",
  "acceptance_criteria",
] as const;

interface EditDialogProps {
  number: number;
  entry: DiffEntry | null;
  task: TaskNode | null;
  onClose: () => void;
}

/** Changes what one operation would do, before anything is accepted. */
export function EditDialog({ number, entry, task, onClose }: EditDialogProps) {
  return (
    <Dialog
      open={entry !== null}
      onClose={onClose}
      size="large"
      title={entry?.op === "create" ? "Edit the new task" : `Edit the change to ${entry?.task ?? ""}`}
      description={`Operation ${entry?.index ?? ""} of proposal #${number}. Nothing changes in the plan until it is accepted.`}
      testId="edit-dialog"
    >
      {entry && <EditForm number={number} entry={entry} task={task} onClose={onClose} />}
    </Dialog>
  );
}

function EditForm({ number, entry, task, onClose }: EditDialogProps & { entry: DiffEntry }) {
  const members = useQuery(membersQuery);
  const edit = useEditOperation(number);
  const faults = edit.error ? faultsByField(edit.error, FIELDS) : null;
  const values = valuesOf(entry, task);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body: TaskBody = bodyChanges(values, readForm(new FormData(event.currentTarget)), parseDuration);
    if (Object.keys(body).length === 0) onClose();
    else edit.mutate({ index: entry.index, body }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      <TextField label="Title" name="title" defaultValue={values.title} autoFocus error={faults?.at.title} />
      <TextArea
        label="Description"
        name="description"
        defaultValue={values.description}
        error={faults?.at.description}
      />
      <TextArea
        label="Acceptance criteria"
        name="acceptance_criteria"
        defaultValue={values.acceptance_criteria}
        hint="One per line."
        error={faults?.at.acceptance_criteria}
      />
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-3">
        <SelectField label="Priority" name="priority" defaultValue={values.priority} error={faults?.at.priority}>
          <Options values={["P0", "P1", "P2", "P3"]} />
        </SelectField>
        <SelectField label="Effort" name="effort" defaultValue={values.effort} error={faults?.at.effort}>
          <Options values={["S", "M", "L"]} />
        </SelectField>
        <TextField
          label="Estimate"
          name="estimate_minutes"
          defaultValue={values.estimate_minutes}
          placeholder="1h 30m"
          error={faults?.at.estimate_minutes}
        />
        <TextField label="Due" name="due_on" type="date" defaultValue={values.due_on} error={faults?.at.due_on} />
        <SelectField
          key={members.status}
          label="Assignee"
          name="assignee"
          defaultValue={values.assignee}
          error={faults?.at.assignee}
        >
          <Options
            values={[
              ...new Set([
                ...(members.data ?? []).map(({ handle }) => handle),
                ...(values.assignee ? [values.assignee] : []),
              ]),
            ]}
          />
        </SelectField>
        <TextField
          label="Labels"
          name="labels"
          defaultValue={values.labels}
          placeholder="api, urgent"
          error={faults?.at.labels}
        />
      </div>
      <FormFaults faults={faults?.rest ?? []} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={edit.isPending}>
          Save into the proposal
        </Button>
      </DialogActions>
    </form>
  );
}

function Options({ values }: { values: string[] }) {
  return (
    <>
      <option value="">None</option>
      {values.map((value) => (
        <option key={value}>{value}</option>
      ))}
    </>
  );
}
