import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { saveText } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { Loaded } from "@/shared/ui/loaded";
import { Markdown } from "@/shared/ui/markdown";
import { Scroll } from "@/shared/ui/scroll";
import { type EventFilter, logQuery } from "./api/events";

/** The chosen events as an account for people, to read and to take along. */
export function LogDialog({ filter, onClose }: { filter: EventFilter; onClose: () => void }) {
  const log = useQuery(logQuery(filter));
  return (
    <Dialog
      open
      onClose={onClose}
      title="As a log"
      description="The newest 200 events that are chosen, oldest first."
      size="large"
      testId="log"
    >
      <Loaded query={log} what="the log">
        {(text) => (
          <>
            <Scroll className="max-h-[50vh] rounded-md bg-sunken px-4 py-3 text-sm">
              <Markdown text={text} />
            </Scroll>
            <DialogActions>
              <Button look="quiet" onClick={onClose}>
                Close
              </Button>
              <Button
                look="primary"
                icon={<Download className="size-4" aria-hidden="true" />}
                onClick={() => saveText(text, "log.md", "text/markdown")}
              >
                Download
              </Button>
            </DialogActions>
          </>
        )}
      </Loaded>
    </Dialog>
  );
}
