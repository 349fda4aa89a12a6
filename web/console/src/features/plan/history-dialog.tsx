import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNames } from "@/shared/api/members";
import type { Revision } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { Avatar } from "@/shared/ui/small";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { revisionsQuery } from "./api/revisions";
import { Version } from "./version";

interface HistoryDialogProps {
  project: string;
  version: number;
  process: string;
  open: boolean;
  onClose: () => void;
  onUndo: (revision: number) => void;
}

/** What happened to a plan, newest first, with what each change did and the way back for it. */
export function HistoryDialog({ project, version, process, open, onClose, onUndo }: HistoryDialogProps) {
  const revisions = useQuery({ ...revisionsQuery(project), enabled: open });
  const [looking, setLooking] = useState<Revision | null>(null);
  const close = () => {
    setLooking(null);
    onClose();
  };
  const takeBack = (revision: Revision) => {
    close();
    onUndo(revision.number);
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title={looking ? `Version ${looking.number}` : "History"}
      description={looking ? summaryOf(looking) : `What happened to ${project}, newest first.`}
      size="large"
      testId="history"
    >
      {looking ? (
        <Version
          project={project}
          revision={looking}
          newest={version}
          process={process}
          onBack={() => setLooking(null)}
          onUndo={() => takeBack(looking)}
        />
      ) : revisions.isPending ? (
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
            <Line
              key={revision.number}
              revision={revision}
              onLook={() => setLooking(revision)}
              onUndo={() => takeBack(revision)}
            />
          ))}
        </ol>
      )}
    </Dialog>
  );
}

function Line({ revision, onLook, onUndo }: { revision: Revision; onLook: () => void; onUndo: () => void }) {
  const nameOf = useNames();
  return (
    <li className="flex items-center gap-3 py-1.5">
      <button
        type="button"
        onClick={onLook}
        className="flex min-w-0 flex-1 items-center gap-3 rounded-md px-1 py-1 text-left hover:bg-sunken"
      >
        <span className="w-9 shrink-0 font-mono text-ink-mute text-xs tabular-nums">v{revision.number}</span>
        <Avatar name={nameOf(revision.author)} />
        <span className="min-w-0 flex-1">
          <span className="block truncate text-sm">{summaryOf(revision)}</span>
          <span className="block text-ink-mute text-xs">
            {nameOf(revision.author)}, <time title={fullTime(revision.at)}>{relativeTime(revision.at)}</time>
          </span>
        </span>
      </button>
      {revision.number > 1 && (
        <Button size="small" onClick={onUndo} aria-label={`Undo version ${revision.number}`}>
          Undo
        </Button>
      )}
    </li>
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
