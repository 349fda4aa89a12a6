import { type FormEvent, useState } from "react";
import { faultsByField } from "@/shared/api/problem";
import type { Project } from "@/shared/api/types";
import { endOfDay, today } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { CopyField } from "@/shared/ui/copy-field";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { CheckField, FieldGroup, FormFaults, SelectField, TextField } from "@/shared/ui/field";
import { useCreateKey } from "./api/create-key";
import { SCOPES, type Scope } from "./scopes";

const FIELDS = ["name", "scopes", "project", "expires_at"] as const;

interface CreateKeyDialogProps {
  open: boolean;
  projects: Project[];
  onClose: () => void;
}

/** Makes a key, then shows its secret, this once. */
export function CreateKeyDialog({ open, projects, onClose }: CreateKeyDialogProps) {
  const [made, setMade] = useState<{ name: string; key: string } | null>(null);
  const close = () => {
    onClose();
    setMade(null);
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made ? `The key ${made.name}` : "Make a key"}
      insists={made !== null}
      testId="create-key"
    >
      {made ? (
        <>
          <CopyField
            label="Secret"
            value={made.key}
            hint={
              <>
                Keep it now: it is not shown again. Programs send it as{" "}
                <code className="whitespace-nowrap font-mono text-ink-soft">Authorization: Bearer …</code>
              </>
            }
          />
          <DialogActions>
            <Button onClick={close}>Done</Button>
          </DialogActions>
        </>
      ) : (
        <CreateKeyForm projects={projects} onMade={setMade} onClose={close} />
      )}
    </Dialog>
  );
}

interface CreateKeyFormProps extends Omit<CreateKeyDialogProps, "open"> {
  onMade: (made: { name: string; key: string }) => void;
}

function CreateKeyForm({ projects, onMade, onClose }: CreateKeyFormProps) {
  const create = useCreateKey();
  const faults = create.error ? faultsByField(create.error, FIELDS) : null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const day = String(form.get("expires_at"));
    create.mutate(
      {
        name: String(form.get("name")).trim(),
        scopes: form.getAll("scopes") as Scope[],
        project: String(form.get("project")) || null,
        expires_at: day ? endOfDay(day) : null,
      },
      { onSuccess: onMade },
    );
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      <TextField
        label="Name"
        name="name"
        autoComplete="off"
        autoFocus
        placeholder="CI, nightly report, …"
        error={faults?.at.name}
      />
      <FieldGroup label="Scopes" error={faults?.at.scopes}>
        {(Object.keys(SCOPES) as Scope[]).map((scope) => (
          <CheckField
            key={scope}
            name="scopes"
            value={scope}
            defaultChecked={scope === "read" || scope === "propose"}
            label={SCOPES[scope].title}
            meaning={SCOPES[scope].may}
          />
        ))}
      </FieldGroup>
      <div className="grid gap-3.5 sm:grid-cols-2">
        <SelectField label="Project" name="project" error={faults?.at.project}>
          <option value="">All projects</option>
          {projects.map(({ key, title }) => (
            <option key={key} value={key}>
              {key}: {title}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Expires after"
          name="expires_at"
          type="date"
          min={today()}
          hint="Empty: never."
          error={faults?.at.expires_at}
        />
      </div>
      <FormFaults faults={faults?.rest ?? []} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={create.isPending}>
          Make the key
        </Button>
      </DialogActions>
    </form>
  );
}
