import { type ReactNode, useState } from "react";
import { Button } from "./button";
import { Dialog, DialogActions } from "./dialog";

interface OnceDialogProps<Made> {
  open: boolean;
  onClose: () => void;
  title: string;
  /** Makes it. */
  form: (onMade: (made: Made) => void, onClose: () => void) => ReactNode;
  madeTitle: (made: Made) => string;
  /** What is to be taken along. */
  shown: (made: Made) => ReactNode;
  testId: string;
}

/** First a form, then what it made, this once: a click beside it does not close that. */
export function OnceDialog<Made>({ open, onClose, title, form, madeTitle, shown, testId }: OnceDialogProps<Made>) {
  const [made, setMade] = useState<Made | null>(null);
  const close = () => {
    onClose();
    setMade(null);
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made === null ? title : madeTitle(made)}
      insists={made !== null}
      testId={testId}
    >
      {made === null ? (
        form(setMade, close)
      ) : (
        <div className="space-y-4">
          {shown(made)}
          <DialogActions>
            <Button onClick={close}>Done</Button>
          </DialogActions>
        </div>
      )}
    </Dialog>
  );
}
