import type { Role } from "@/shared/api/roles";
import type { Project } from "@/shared/api/types";
import { endOfDay, today } from "@/shared/lib/time";
import { CopyField } from "@/shared/ui/copy-field";
import { CheckField, FieldGroup, TextField } from "@/shared/ui/field";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { OnceDialog } from "@/shared/ui/once-dialog";
import { ProjectField } from "@/shared/ui/project-field";
import { useCreateKey } from "./api/create-key";
import { SCOPES, SCOPES_OF, type Scope } from "./scopes";

const FIELDS = ["name", "scopes", "project", "expires_at"] as const;

interface CreateKeyDialogProps {
  open: boolean;
  /** What the key is made with: it cannot do more. */
  role: Role;
  projects: Project[];
  onClose: () => void;
}

interface Made {
  name: string;
  key: string;
}

/** Makes a key, then shows its secret, this once. */
export function CreateKeyDialog({ open, role, projects, onClose }: CreateKeyDialogProps) {
  return (
    <OnceDialog<Made>
      open={open}
      onClose={onClose}
      title="Make a key"
      madeTitle={({ name }) => `The key ${name}`}
      form={(onMade, close) => <CreateKeyForm role={role} projects={projects} onMade={onMade} onClose={close} />}
      shown={({ key }) => (
        <CopyField
          label="Secret"
          value={key}
          hint={
            <>
              Keep it now: it is not shown again. Programs send it as{" "}
              <code className="whitespace-nowrap font-mono text-ink-soft">Authorization: Bearer …</code>
            </>
          }
        />
      )}
      testId="create-key"
    />
  );
}

interface CreateKeyFormProps extends Omit<CreateKeyDialogProps, "open"> {
  onMade: (made: Made) => void;
}

function CreateKeyForm({ role, projects, onMade, onClose }: CreateKeyFormProps) {
  const read = (form: FormData) => {
    const day = text(form, "expires_at");
    return {
      name: text(form, "name") ?? "",
      scopes: form.getAll("scopes") as Scope[],
      project: text(form, "project"),
      expires_at: day && endOfDay(day),
    };
  };
  return (
    <MutationForm
      mutation={useCreateKey()}
      fields={FIELDS}
      read={read}
      onDone={onMade}
      onClose={onClose}
      verb="Make the key"
    >
      {(faults) => (
        <>
          <TextField
            label="Name"
            name="name"
            autoComplete="off"
            autoFocus
            placeholder="CI, nightly report, …"
            error={faults.name}
          />
          <FieldGroup label="Scopes" error={faults.scopes}>
            {SCOPES_OF[role].map((scope) => (
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
            <ProjectField label="Project" none="All projects" projects={projects} error={faults.project} />
            <TextField
              label="Expires after"
              name="expires_at"
              type="date"
              min={today()}
              hint="Empty: never."
              error={faults.expires_at}
            />
          </div>
        </>
      )}
    </MutationForm>
  );
}
