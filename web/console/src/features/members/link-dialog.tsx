import { Button } from "@/shared/ui/button";
import { CopyField } from "@/shared/ui/copy-field";
import { Dialog, DialogActions } from "@/shared/ui/dialog";

interface LinkDialogProps {
  link: { name: string; url: string } | null;
  title: string;
  onClose: () => void;
}

/** A one-time sign-in link, for as long as it is open. */
export function LinkDialog({ link, title, onClose }: LinkDialogProps) {
  return (
    <Dialog open={link !== null} onClose={onClose} title={title} insists testId="link-dialog">
      {link && <SignInLink name={link.name} url={link.url} onClose={onClose} />}
    </Dialog>
  );
}

export function SignInLink({ name, url, onClose }: { name: string; url: string; onClose: () => void }) {
  return (
    <>
      <CopyField
        label="Sign-in link"
        value={url}
        hint={`Send it to ${name} in private. It works once, within 15 minutes, and is not shown again.`}
      />
      <DialogActions>
        <Button onClick={onClose}>Done</Button>
      </DialogActions>
    </>
  );
}
