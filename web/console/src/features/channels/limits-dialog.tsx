import type { FormEvent } from "react";
import { toast } from "sonner";
import { faultsByField } from "@/shared/api/problem";
import type { Channel } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { CheckField, FormFaults, TextField } from "@/shared/ui/field";
import { useSetChannel } from "./api/channels";

/** Whom a channel lets in unasked, and how much it takes. */
export function LimitsDialog({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const set = useSetChannel();
  const faults = set.error
    ? faultsByField(set.error, ["per_sender", "per_channel"])
    : { at: {} as Record<string, string>, rest: [] };
  // Who comes in there has signed in or has a key.
  const isEntrance = channel.channel === "web" || channel.channel === "api";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const settings = {
      per_sender: Number(form.get("per_sender")),
      per_channel: Number(form.get("per_channel")),
      trust_email: form.get("trust_email") === "on",
    };
    set.mutate(
      { channel: channel.channel, settings },
      {
        onSuccess: () => {
          toast.success(`${channel.title} is set.`);
          onClose();
        },
      },
    );
  };
  return (
    <Dialog open onClose={onClose} title={`Settings of ${channel.title}`} testId="channel-settings">
      <form onSubmit={submit} className="space-y-4">
        <TextField
          label="Messages a minute from one person"
          name="per_sender"
          type="number"
          min={1}
          max={10_000}
          required
          autoFocus
          defaultValue={channel.settings.per_sender}
          error={faults.at.per_sender}
        />
        <TextField
          label="Messages a minute from all together"
          name="per_channel"
          type="number"
          min={1}
          max={100_000}
          required
          defaultValue={channel.settings.per_channel}
          error={faults.at.per_channel}
          hint="Who says more is told how long to wait."
        />
        {!isEntrance && (
          <CheckField
            label="Trust addresses"
            meaning="Who has a member's address there is that member, without a code."
            name="trust_email"
            defaultChecked={channel.settings.trust_email}
          />
        )}
        <FormFaults faults={faults.rest} />
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit" busy={set.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
