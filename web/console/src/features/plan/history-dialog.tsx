import { useQuery } from "@tanstack/react-query";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Revision } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { Avatar } from "@/shared/ui/small";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { useRevert } from "./api/revert";
import { revisionsQuery } from "./api/revisions";

interface HistoryDialogProps {
  project: string;
  version: number;
  open: boolean;
  onClose: () => void;
  onUndo: (revision: number) => void;
}

/** What happened to a plan, newest first, with the way back for each. */
export function HistoryDialog({ project, version, open, onClose, onUndo }: HistoryDialogProps) {
  const revisions = useQuery({ ...revisionsQuery(project), enabled: open });
  const nameOf = useNames();
  const revert = useRevert(project);
  const takeBack = (revision: Revision) => {
    onClose();
    if (revision.number === version) return onUndo(revision.number);
    revert.mutate(revision.number, {
      onSuccess: () => toast.success(`Taking back version ${revision.number} is proposed; nothing has changed yet.`),
      onError: (error) => toast.error(messageOf(error)),
    });
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="History"
      description={`What happened to ${project}, newest first.`}
      size="large"
      testId="history"
    >
      {revisions.isPending ? (
        <SkeletonLines label="Loading the history" widths={["w-2/3", "w-1/2", "w-3/5"]} />
      ) : revisions.isError ? (
        <ErrorState
          error={revisions.error}
          title="The history could not be loaded"
          onRetry={() => revisions.refetch()}
        />
      ) : revisions.data.length === 0 ? (
        <EmptyState title="Nothing has happened yet" />
      ) : (
        <ol className="divide-y divide-line">
          {revisions.data.map((revision) => (
            <li key={revision.number} className="flex items-center gap-3 py-2.5">
              <span className="w-9 shrink-0 font-mono text-ink-mute text-xs tabular-nums">v{revision.number}</span>
              <Avatar name={nameOf(revision.author)} />
              <span className="min-w-0 flex-1">
                <span className="block truncate text-sm">{summaryOf(revision)}</span>
                <span className="block text-ink-mute text-xs">
                  {nameOf(revision.author)}, <time title={fullTime(revision.at)}>{relativeTime(revision.at)}</time>
                </span>
              </span>
              <Button size="small" onClick={() => takeBack(revision)} busy={revert.isPending}>
                {revision.number === version ? "Undo" : "Propose to revert"}
              </Button>
            </li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}

/** One line for what a revision did. */
export function summaryOf(revision: Revision): string {
  if (revision.reverts) return `Took back version ${revision.reverts}`;
  const tasks = revision.patch.tasks ?? [];
  const of = (op: string) => tasks.filter((task) => task.op === op).length;
  const parts = [
    { count: of("create"), what: "new" },
    { count: of("update"), what: "changed" },
    { count: of("delete"), what: "removed" },
  ]
    .filter(({ count }) => count > 0)
    .map(({ count, what }) => `${count} ${what}`);
  const what = parts.length > 0 ? parts.join(", ") : "The project itself";
  return revision.proposal ? `${what}, from #${revision.proposal}` : what;
}
