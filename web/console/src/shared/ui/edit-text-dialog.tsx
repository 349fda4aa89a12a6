import { type FormEvent, useState } from "react";
import { faultsByField, isStatus } from "../api/problem";
import type { Tagged } from "../api/tagged";
import { Button } from "./button";
import { Dialog, DialogActions } from "./dialog";
import { FormFaults, TextArea, TextField } from "./field";
import { Scroll } from "./scroll";

type Written = Tagged<{ title: string; content: string }>;

const FIELDS = ["title", "content"] as const;

interface EditTextDialogProps {
  /** What is changed. */
  what: string;
  /** As it was read. */
  text: Written;
  /** Reads it again. */
  reread: () => Promise<Written>;
  /** Replaces what has the tag, and nothing else. */
  save: (change: Written) => Promise<unknown>;
  onClose: () => void;
}

/** Writes a title and a text. Where somebody else was faster, both stand beside one another and one decides. */
export function EditTextDialog({ what, text, reread, save, onClose }: EditTextDialogProps) {
  const [written, setWritten] = useState<Written>(text);
  const [theirs, setTheirs] = useState<Written | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const faults = error ? faultsByField(error, FIELDS) : null;

  const attempt = async (change: Written) => {
    setBusy(true);
    setError(null);
    try {
      await save(change);
      onClose();
    } catch (refused) {
      if (!isStatus(refused, 412)) return setError(refused);
      try {
        setTheirs(await reread());
      } catch (unread) {
        setError(unread);
      }
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void attempt(written);
  };
  const take = () => {
    if (theirs) setWritten(theirs);
    setTheirs(null);
  };
  const keep = () => {
    if (!theirs) return;
    const mine = { ...written, etag: theirs.etag };
    setWritten(mine);
    setTheirs(null);
    void attempt(mine);
  };

  return (
    <Dialog open onClose={onClose} title={`Edit ${what}`} size="large" insists testId="edit-text">
      <form onSubmit={submit} noValidate className="space-y-3.5">
        {theirs && (
          <div role="alert" className="space-y-3 rounded-md bg-changed px-3 py-3 text-sm" data-testid="text-conflict">
            <p className="text-changed-ink">
              Somebody changed it while you were writing. Nothing is lost: below is what it is now, and further down
              what you wrote.
            </p>
            <div className="rounded-md bg-surface p-3">
              <p className="font-medium">{theirs.title}</p>
              <Scroll className="mt-1 max-h-48 whitespace-pre-wrap break-words text-ink-soft">{theirs.content}</Scroll>
            </div>
            <div className="flex flex-wrap gap-2">
              <Button size="small" onClick={take}>
                Go on with theirs
              </Button>
              <Button size="small" onClick={keep} busy={isBusy}>
                Replace it with mine
              </Button>
            </div>
          </div>
        )}
        <TextField
          label="Title"
          value={written.title}
          maxLength={200}
          autoFocus
          error={faults?.at.title}
          onChange={(event) => setWritten({ ...written, title: event.target.value })}
        />
        <TextArea
          label="Text"
          hint="Markdown."
          value={written.content}
          error={faults?.at.content}
          className="max-h-[45vh] min-h-56 font-mono text-xs"
          onChange={(event) => setWritten({ ...written, content: event.target.value })}
        />
        <FormFaults faults={faults?.rest ?? []} />
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit" busy={isBusy} disabled={theirs !== null}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
