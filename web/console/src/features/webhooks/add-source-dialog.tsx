import { type FormEvent, useState } from "react";
import { faultsByField } from "@/shared/api/problem";
import type { NewSource } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { CopyField } from "@/shared/ui/copy-field";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, SelectField, TextField } from "@/shared/ui/field";
import { useAddSource } from "./api/sources";

const FIELDS = ["name", "kind", "project"] as const;

interface Made {
  name: string;
  url: string;
  secret: string;
}

/** Adds a source, then shows its URL and, this once, its secret. */
export function AddSourceDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  const close = () => {
    onClose();
    setMade(null);
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made ? `The source ${made.name}` : "Add a source"}
      insists={made !== null}
      testId="add-source"
    >
      {made ? (
        <div className="space-y-4">
          <CopyField label="URL" value={made.url} hint="Where the service delivers to, as JSON." />
          <CopyField label="Secret" value={made.secret} hint="Keep it now: it is not shown again." />
          <DialogActions>
            <Button onClick={close}>Done</Button>
          </DialogActions>
        </div>
      ) : (
        <AddSourceForm onMade={setMade} onClose={close} />
      )}
    </Dialog>
  );
}

function AddSourceForm({ onMade, onClose }: { onMade: (made: Made) => void; onClose: () => void }) {
  const add = useAddSource();
  const faults = add.error ? faultsByField(add.error, FIELDS) : null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    add.mutate(
      {
        name: String(form.get("name")).trim(),
        kind: String(form.get("kind")) as NewSource["kind"],
        project: String(form.get("project")).trim() || null,
      },
      { onSuccess: onMade },
    );
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      <TextField label="Name" name="name" autoComplete="off" autoFocus placeholder="GitHub" error={faults?.at.name} />
      <SelectField label="How it proves who it is" name="kind" error={faults?.at.kind}>
        <option value="github">GitHub</option>
        <option value="gitlab">GitLab</option>
        <option value="standard">Standard Webhooks</option>
        <option value="hmac">HMAC of the body, in X-Signature</option>
        <option value="bearer">Bearer token</option>
      </SelectField>
      <TextField
        label="Project"
        name="project"
        autoComplete="off"
        placeholder="WEB"
        hint="What its deliveries are about. Empty: a new project each time."
        error={faults?.at.project}
      />
      <FormFaults faults={faults?.rest ?? []} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={add.isPending}>
          Add the source
        </Button>
      </DialogActions>
    </form>
  );
}
