import { type FormEvent, useState } from "react";
import { toast } from "sonner";
import { faultsByField } from "@/shared/api/problem";
import type { Job } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, TextArea } from "@/shared/ui/field";
import { useRetryJob } from "./api/jobs";

/** Sends a job again that was given up, with what was wrong put right. */
export function MendDialog({ job, title, onClose }: { job: Job; title: string; onClose: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(job.payload, null, 2));
  const [fault, setFault] = useState<string>();
  const retry = useRetryJob();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    let payload: unknown;
    try {
      payload = JSON.parse(text);
    } catch (error) {
      return setFault(error instanceof Error ? error.message : "This is not JSON");
    }
    retry.mutate(
      { id: job.id, payload },
      {
        onSuccess: () => {
          toast.success("It waits again.");
          onClose();
        },
      },
    );
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      description="What it is given, as JSON."
      size="large"
      insists
      testId="mend"
    >
      <form onSubmit={submit} className="space-y-4">
        <TextArea
          label="Given"
          value={text}
          error={fault}
          autoFocus
          spellCheck={false}
          className="font-mono text-xs"
          onChange={(event) => {
            setText(event.target.value);
            setFault(undefined);
          }}
        />
        <FormFaults faults={retry.error ? faultsByField(retry.error, []).rest : []} />
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit" busy={retry.isPending}>
            Send again
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
