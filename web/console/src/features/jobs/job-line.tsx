import { ChevronRight } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Job, JobState } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { clockTime, fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Badge } from "@/shared/ui/small";
import { useCancelJob, useRetryJob } from "./api/jobs";
import { MendDialog } from "./mend-dialog";

const STATES: Record<JobState, { title: string; tone: "neutral" | "accent" | "added" | "changed" | "removed" }> = {
  scheduled: { title: "scheduled", tone: "neutral" },
  queued: { title: "queued", tone: "neutral" },
  running: { title: "running", tone: "accent" },
  done: { title: "done", tone: "added" },
  dead: { title: "given up", tone: "removed" },
  cancelled: { title: "cancelled", tone: "changed" },
};

const TITLES: Record<string, string> = {
  inbox: "Message that came in",
  deliver: "Message to a channel",
  "webhook-in": "Delivery of a webhook",
  "webhook-out": "Message to an endpoint",
  trigger: "Run of a trigger",
};

/** One job; opened, with what its attempts said. */
export function JobLine({ job, canManage }: { job: Job; canManage: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const [isMending, setMending] = useState(false);
  const cancel = useCancelJob();
  const retry = useRetryJob();
  const failed = (error: unknown) => toast.error(messageOf(error));
  const title = TITLES[job.kind] ?? job.kind.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
  const state = STATES[job.state];
  const isOver = job.state === "dead" || job.state === "cancelled";
  const isWaiting = job.state === "queued" || job.state === "scheduled" || job.state === "running";
  return (
    <li className="px-4 py-3" data-testid={`job-${job.state}`}>
      <div className="flex items-center gap-3">
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className="flex min-w-0 flex-1 items-center gap-2 rounded text-left"
        >
          <ChevronRight
            className={cx("size-4 shrink-0 text-ink-mute transition-transform", isOpen && "rotate-90")}
            aria-hidden="true"
          />
          <span className="min-w-0">
            <span className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{title}</span>
              <Badge tone={state.tone}>{state.title}</Badge>
              {job.is_late && <Badge tone="removed">late</Badge>}
            </span>
            <span className="block break-words text-ink-mute text-xs">
              {job.author} · <span title={fullTime(job.created_at)}>{relativeTime(job.created_at)}</span>
              {job.attempt > 1 && ` · attempt ${job.attempt} of ${job.max_attempts}`}
              {job.problem && <span className="text-removed-ink"> · {job.problem}</span>}
            </span>
          </span>
        </button>
        {canManage && isOver && (
          <>
            <Button
              size="small"
              busy={retry.isPending}
              onClick={() =>
                retry.mutate({ id: job.id }, { onError: failed, onSuccess: () => toast.success("It waits again.") })
              }
            >
              Send again
            </Button>
            <Button size="small" look="quiet" onClick={() => setMending(true)}>
              Mend
            </Button>
          </>
        )}
        {canManage && isWaiting && (
          <Button size="small" busy={cancel.isPending} onClick={() => cancel.mutate(job.id, { onError: failed })}>
            Cancel
          </Button>
        )}
      </div>
      {isOpen && (
        <div className="mt-3 space-y-3 pl-6">
          <Json title="Given" value={job.payload} />
          {job.result != null && <Json title="Result" value={job.result} />}
          <Log log={job.log} />
        </div>
      )}
      {isMending && <MendDialog job={job} title={title} onClose={() => setMending(false)} />}
    </li>
  );
}

function Json({ title, value }: { title: string; value: unknown }) {
  return (
    <div>
      <p className="mb-1 font-medium text-ink-soft text-xs">{title}</p>
      <pre className="whitespace-pre-wrap break-words rounded-md bg-sunken px-3 py-2 font-mono text-xs">
        {JSON.stringify(value, null, 2)}
      </pre>
    </div>
  );
}

interface Said {
  at: string;
  attempt: number;
  text: string;
}

function Log({ log }: { log: unknown }) {
  const lines = Array.isArray(log) ? (log as Said[]) : [];
  if (lines.length === 0) return <p className="text-ink-mute text-xs">It has said nothing yet.</p>;
  return (
    <div>
      <p className="mb-1 font-medium text-ink-soft text-xs">What it said</p>
      <ol className="space-y-0.5 text-xs">
        {lines.map((line, index) => (
          <li key={index} className="flex gap-3">
            <time className="shrink-0 text-ink-mute tabular-nums" dateTime={line.at} title={fullTime(line.at)}>
              {clockTime(line.at)}
            </time>
            <span className="shrink-0 text-ink-mute">try {line.attempt}</span>
            <span className="min-w-0 break-words">{line.text}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
