import { useEffect } from "react";
import { Button } from "@/shared/ui/button";
import { CopyField } from "@/shared/ui/copy-field";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { ErrorState, Skeleton } from "@/shared/ui/states";
import { useMakeCode } from "./api/channels";

/** A code that its maker says on a channel. */
export function CodeDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const make = useMakeCode();
  const { mutate, reset } = make;
  useEffect(() => {
    if (open) mutate();
    else reset();
  }, [open, mutate, reset]);
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Link a channel"
      description="Say this to Patchbay where you want to be known: as a message in Slack or Discord, or as the subject of a mail."
      testId="link-code"
    >
      {make.isError ? (
        <ErrorState error={make.error} title="There is no code" onRetry={() => mutate()} />
      ) : make.data ? (
        <CopyField label="Your code" value={`link ${make.data}`} hint="It holds for ten minutes, and once." />
      ) : (
        <Skeleton className="h-16" />
      )}
      <DialogActions>
        <Button onClick={onClose}>Done</Button>
      </DialogActions>
    </Dialog>
  );
}
