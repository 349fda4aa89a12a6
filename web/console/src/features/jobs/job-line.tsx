import { useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Job } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Line } from "@/shared/ui/line";
import { Json } from "@/shared/ui/small";
import { isOver, useCancelJob, useRetryJob } from "./api/jobs";
import { MendDialog } from "./mend-dialog";
import { JobBadges, JobLog, kindTitle } from "./parts";

/** One job; opened, with what its attempts said. */
export function JobLine({ job, canManage }: { job: Job; canManage: boolean }) {
  const nameOf = useNames();
  return (
    <Line
      testId={`job-${job.state}`}
      title={
        <>
          {kindTitle(job.kind)} <JobBadges job={job} />
        </>
      }
      facts={
        <>
          {nameOf(job.author)} · <span title={fullTime(job.created_at)}>{relativeTime(job.created_at)}</span>
          {job.attempt > 1 && ` · attempt ${job.attempt} of ${job.max_attempts}`}
          {job.problem && <span className="text-removed-ink"> · {job.problem}</span>}
        </>
      }
      actions={canManage && <JobActions job={job} />}
    >
      {() => (
        <>
          <p className="font-medium text-ink-soft text-xs">Given</p>
          <Json value={job.payload} />
          {job.result != null && (
            <>
              <p className="font-medium text-ink-soft text-xs">Result</p>
              <Json value={job.result} />
            </>
          )}
          <p className="font-medium text-ink-soft text-xs">What it said</p>
          <JobLog log={job.log} />
        </>
      )}
    </Line>
  );
}

/** What may be done with a job as it stands. */
export function JobActions({ job }: { job: Job }) {
  const [isMending, setMending] = useState(false);
  const cancel = useCancelJob();
  const retry = useRetryJob();
  const failed = (error: unknown) => toast.error(messageOf(error));
  if (job.state === "done") return null;
  if (!isOver(job)) {
    return (
      <Button size="small" busy={cancel.isPending} onClick={() => cancel.mutate(job.id, { onError: failed })}>
        Cancel
      </Button>
    );
  }
  return (
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
      {isMending && <MendDialog job={job} title={kindTitle(job.kind)} onClose={() => setMending(false)} />}
    </>
  );
}
