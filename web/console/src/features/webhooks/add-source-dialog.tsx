import type { NewSource } from "@/shared/api/types";
import { CopyField } from "@/shared/ui/copy-field";
import { SelectField, TextField } from "@/shared/ui/field";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { OnceDialog } from "@/shared/ui/once-dialog";
import { useAddSource } from "./api/sources";

const FIELDS = ["name", "kind", "project"] as const;

interface Made {
  name: string;
  url: string;
  secret: string;
}

/** Adds a source, then shows its URL and, this once, its secret. */
export function AddSourceDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <OnceDialog<Made>
      open={open}
      onClose={onClose}
      title="Add a source"
      madeTitle={({ name }) => `The source ${name}`}
      form={(onMade, close) => <AddSourceForm onMade={onMade} onClose={close} />}
      shown={({ url, secret }) => (
        <>
          <CopyField label="URL" value={url} hint="Where the service delivers to, as JSON." />
          <CopyField label="Secret" value={secret} hint="Keep it now: it is not shown again." />
        </>
      )}
      testId="add-source"
    />
  );
}

function AddSourceForm({ onMade, onClose }: { onMade: (made: Made) => void; onClose: () => void }) {
  const read = (form: FormData) => ({
    name: text(form, "name") ?? "",
    kind: text(form, "kind") as NewSource["kind"],
    project: text(form, "project"),
  });
  return (
    <MutationForm
      mutation={useAddSource()}
      fields={FIELDS}
      read={read}
      onDone={onMade}
      onClose={onClose}
      verb="Add the source"
    >
      {(faults) => (
        <>
          <TextField label="Name" name="name" autoComplete="off" autoFocus placeholder="GitHub" error={faults.name} />
          <SelectField label="How it proves who it is" name="kind" error={faults.kind}>
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
            error={faults.project}
          />
        </>
      )}
    </MutationForm>
  );
}
