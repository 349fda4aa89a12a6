import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useNames } from "@/shared/api/members";
import type { Job } from "@/shared/api/types";
import { shown, titleOf } from "@/shared/lib/json-schema";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Loaded } from "@/shared/ui/loaded";
import { Scroll } from "@/shared/ui/scroll";
import { isOver, jobQuery } from "./api/jobs";
import { JobActions } from "./job-line";
import { JobBadges, JobLog, JobProgress, kindTitle, subjectOf } from "./parts";
import { Result } from "./result";
import { Variants } from "./variants";

interface JobPageProps {
  id: string;
  me: { handle: string; isAdmin: boolean };
  onRepeat: (job: Job) => void;
}

/** One job of a tool: how far it is, what it was given and what it made. */
export function JobPage({ id, me, onRepeat }: JobPageProps) {
  const job = useQuery(jobQuery(id));
  return (
    <Loaded query={job} what="the job">
      {(found) => <OneJob job={found} canManage={me.isAdmin || me.handle === found.author} onRepeat={onRepeat} />}
    </Loaded>
  );
}

function OneJob({ job, canManage, onRepeat }: { job: Job; canManage: boolean; onRepeat: (job: Job) => void }) {
  const nameOf = useNames();
  const makesVariants = job.kind.startsWith("generate_");
  return (
    <div className="space-y-8" data-testid={`job-${job.state}`}>
      <header>
        <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
          <div className="min-w-0 flex-1 basis-64">
            <h1 className="break-words font-semibold text-2xl tracking-tight">{subjectOf(job)}</h1>
            <p className="mt-1 flex flex-wrap items-center gap-2 text-ink-soft text-sm">
              <JobBadges job={job} />
              <span>
                {kindTitle(job.kind)} · {nameOf(job.author)} ·{" "}
                <span title={fullTime(job.created_at)}>{relativeTime(job.created_at)}</span>
                {job.attempt > 1 && ` · attempt ${job.attempt} of ${job.max_attempts}`}
              </span>
              <JobProgress job={job} />
            </p>
          </div>
          <div className="flex flex-wrap gap-2">
            {canManage && <JobActions job={job} />}
            <Button size="small" onClick={() => onRepeat(job)}>
              Run another like it
            </Button>
          </div>
        </div>
        {job.state === "scheduled" && (
          <p className="mt-1 text-ink-mute text-sm">It waits until {fullTime(job.run_at)}.</p>
        )}
        {job.problem && job.state !== "done" && (
          <p role="alert" className="mt-3 rounded-md bg-removed px-3 py-2 text-removed-ink text-sm">
            {job.problem}
          </p>
        )}
      </header>
      {makesVariants ? (
        <Variants job={job.id} isMaking={!isOver(job)} />
      ) : (
        job.result != null && (
          <Section title="Result">
            <Result job={job} />
          </Section>
        )
      )}
      <Section title="What it said">
        <JobLog log={job.log} />
      </Section>
      <Section title="What it was given">
        <Given payload={job.payload} />
      </Section>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-2 font-medium text-ink-soft text-sm">{title}</h2>
      {children}
    </section>
  );
}

function Given({ payload }: { payload: unknown }) {
  return (
    <dl className="divide-y divide-line rounded-xl border border-line bg-surface">
      {Object.entries((payload ?? {}) as Record<string, unknown>).map(([name, value]) => (
        <div key={name} className="grid gap-x-4 px-4 py-2 text-sm sm:grid-cols-[10rem_1fr]">
          <dt className="text-ink-mute">{titleOf(name)}</dt>
          <dd className="min-w-0">
            <Scroll className="max-h-64 whitespace-pre-wrap break-words">
              {shown({ kind: isPairs(value) ? "pairs" : "json" }, value)}
            </Scroll>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const isPairs = (value: unknown) =>
  typeof value === "object" && value !== null && Object.values(value).every((part) => typeof part === "string");
