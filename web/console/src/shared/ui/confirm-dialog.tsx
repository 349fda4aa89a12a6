import type { ReactNode } from "react";
import { messageOf } from "../api/problem";
import { Button } from "./button";
import { Dialog, DialogActions } from "./dialog";
import { FormFaults } from "./field";

interface ConfirmDialogProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** What happens then, and what does not. */
  description: ReactNode;
  /** The verb of the button: "Remove". */
  verb: string;
  onConfirm: () => void;
  busy: boolean;
  error: unknown;
  testId?: string;
}

/** Asks before something that cannot be taken back. The first press of Enter changes nothing: Cancel has the focus. */
export function ConfirmDialog({
  open,
  onClose,
  title,
  description,
  verb,
  onConfirm,
  busy,
  error,
  testId,
}: ConfirmDialogProps) {
  return (
    <Dialog open={open} onClose={onClose} title={title} description={description} insists testId={testId}>
      <FormFaults faults={error ? [messageOf(error)] : []} />
      <DialogActions>
        <Button look="quiet" autoFocus onClick={onClose}>
          Cancel
        </Button>
        <Button look="danger" onClick={onConfirm} busy={busy}>
          {verb}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
