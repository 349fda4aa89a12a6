import type { UseMutationResult } from "@tanstack/react-query";
import type { SecretHint } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { CopyField } from "@/shared/ui/copy-field";
import { SelectField } from "@/shared/ui/field";
import { MutationForm } from "@/shared/ui/mutation-form";
import { OnceDialog } from "@/shared/ui/once-dialog";

/** The secrets that count, by their last letters. */
export function Secrets({ all }: { all: SecretHint[] }) {
  return (
    <p className="text-ink-mute text-xs">
      {all.length === 1 ? "Its secret ends in " : "Its secrets end in "}
      {all.map(({ hint, created_at: made, expires_at: ends }, index) => (
        <span key={made}>
          {index > 0 && ", "}
          <code className="font-mono text-ink-soft">{hint}</code>
          {ends && <span title={fullTime(ends)}> (ends {relativeTime(ends)})</span>}
        </span>
      ))}
    </p>
  );
}

const FIELDS = ["overlap_hours"] as const;

interface RotateDialogProps {
  open: boolean;
  name: string;
  mutation: Pick<
    UseMutationResult<{ secret: string }, Error, { overlap_hours: number }>,
    "mutate" | "error" | "isPending"
  >;
  onClose: () => void;
}

/** Makes a new secret, and shows it this once. */
export function RotateDialog({ open, name, mutation, onClose }: RotateDialogProps) {
  return (
    <OnceDialog<{ secret: string }>
      open={open}
      onClose={onClose}
      title={`A new secret for ${name}`}
      madeTitle={() => `The new secret of ${name}`}
      form={(onMade, close) => (
        <MutationForm
          mutation={mutation}
          fields={FIELDS}
          read={(form) => ({ overlap_hours: Number(form.get("overlap_hours")) })}
          onDone={onMade}
          onClose={close}
          verb="Make a new secret"
        >
          {(faults) => (
            <SelectField
              label="The one before counts for"
              name="overlap_hours"
              defaultValue={24}
              hint="Until then both do, so that nothing is lost while the other side changes."
              error={faults.overlap_hours}
              autoFocus
            >
              <option value={24}>a day more</option>
              <option value={168}>a week more</option>
              <option value={1}>an hour more</option>
              <option value={0}>no longer: it is known to somebody</option>
            </SelectField>
          )}
        </MutationForm>
      )}
      shown={({ secret }) => <CopyField label="Secret" value={secret} hint="Keep it now: it is not shown again." />}
      testId="rotate"
    />
  );
}
