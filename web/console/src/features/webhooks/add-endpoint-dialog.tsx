import { type FormEvent, useState } from "react";
import { faultsByField } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";
import { CopyField } from "@/shared/ui/copy-field";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, TextField } from "@/shared/ui/field";
import { useAddEndpoint } from "./api/endpoints";

const FIELDS = ["url", "events"] as const;

/** Adds an endpoint, then shows its secret, this once. */
export function AddEndpointDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [secret, setSecret] = useState<string | null>(null);
  const close = () => {
    onClose();
    setSecret(null);
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={secret ? "The endpoint's secret" : "Add an endpoint"}
      insists={secret !== null}
      testId="add-endpoint"
    >
      {secret ? (
        <>
          <CopyField
            label="Secret"
            value={secret}
            hint="Keep it now: it is not shown again. With it the endpoint checks that we sent what it got."
          />
          <DialogActions>
            <Button onClick={close}>Done</Button>
          </DialogActions>
        </>
      ) : (
        <AddEndpointForm onMade={setSecret} onClose={close} />
      )}
    </Dialog>
  );
}

function AddEndpointForm({ onMade, onClose }: { onMade: (secret: string) => void; onClose: () => void }) {
  const add = useAddEndpoint();
  const faults = add.error ? faultsByField(add.error, FIELDS) : null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const events = String(form.get("events"))
      .split(/[\s,]+/)
      .filter(Boolean);
    add.mutate(
      { url: String(form.get("url")).trim(), events: events.length > 0 ? events : null },
      { onSuccess: (made) => onMade(made.secret) },
    );
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      <TextField
        label="URL"
        name="url"
        type="url"
        autoComplete="off"
        autoFocus
        placeholder="https://example.com/patchbay"
        error={faults?.at.url}
      />
      <TextField
        label="Events"
        name="events"
        autoComplete="off"
        className="font-mono"
        placeholder="proposal.* project.changed"
        hint="Empty: all events."
        error={faults?.at.events}
      />
      <FormFaults faults={faults?.rest ?? []} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={add.isPending}>
          Add the endpoint
        </Button>
      </DialogActions>
    </form>
  );
}
