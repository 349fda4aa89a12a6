import type { FormEvent } from "react";
import { toast } from "sonner";
import { faultsByField } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { FormFaults, TextArea } from "@/shared/ui/field";
import { useReject } from "./api/reject";

export function RejectDialog({ open, number, onClose }: { open: boolean; number: number; onClose: () => void }) {
  const reject = useReject(number);
  const faults = reject.error ? faultsByField(reject.error, ["reason"]) : null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const reason = String(new FormData(event.currentTarget).get("reason")).trim();
    reject.mutate(reason, {
      onSuccess: () => {
        onClose();
        toast.success(`#${number} is rejected. Nothing was changed.`);
      },
    });
  };
  return (
    <Dialog
      open={open}
      onClose={() => {
        reject.reset();
        onClose();
      }}
      title={`Reject proposal #${number}`}
      description="Its author sees why. The plan stays as it is."
      testId="reject-dialog"
    >
      <form onSubmit={submit} noValidate>
        <TextArea
          label="Reason"
          name="reason"
          autoFocus
          placeholder="What should be different?"
          error={faults?.at.reason}
        />
        <div className="mt-3">
          <FormFaults faults={faults?.rest ?? []} />
        </div>
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="danger" busy={reject.isPending}>
            Reject
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
