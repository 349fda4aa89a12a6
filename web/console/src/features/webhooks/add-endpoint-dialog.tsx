import { CopyField } from "@/shared/ui/copy-field";
import { TextField } from "@/shared/ui/field";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { OnceDialog } from "@/shared/ui/once-dialog";
import { useAddEndpoint } from "./api/endpoints";

const FIELDS = ["url", "events"] as const;

/** Adds an endpoint, then shows its secret, this once. */
export function AddEndpointDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <OnceDialog<{ secret: string }>
      open={open}
      onClose={onClose}
      title="Add an endpoint"
      madeTitle={() => "The endpoint's secret"}
      form={(onMade, close) => <AddEndpointForm onMade={onMade} onClose={close} />}
      shown={({ secret }) => (
        <CopyField
          label="Secret"
          value={secret}
          hint="Keep it now: it is not shown again. With it the endpoint checks that we sent what it got."
        />
      )}
      testId="add-endpoint"
    />
  );
}

function AddEndpointForm({ onMade, onClose }: { onMade: (made: { secret: string }) => void; onClose: () => void }) {
  const read = (form: FormData) => ({
    url: text(form, "url") ?? "",
    events: text(form, "events")?.split(/[\s,]+/) ?? null,
  });
  return (
    <MutationForm
      mutation={useAddEndpoint()}
      fields={FIELDS}
      read={read}
      onDone={onMade}
      onClose={onClose}
      verb="Add the endpoint"
    >
      {(faults) => (
        <>
          <TextField
            label="URL"
            name="url"
            type="url"
            autoComplete="off"
            autoFocus
            placeholder="https://example.com/patchbay"
            error={faults.url}
          />
          <TextField
            label="Events"
            name="events"
            autoComplete="off"
            className="font-mono"
            placeholder="proposal.* project.changed"
            hint="Empty: all events."
            error={faults.events}
          />
        </>
      )}
    </MutationForm>
  );
}
