import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { WandSparkles } from "lucide-react";
import { useState } from "react";
import { useNames } from "@/shared/api/members";
import type { Job, JobState } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Choices } from "@/shared/ui/choices";
import { Lines, LineText } from "@/shared/ui/line";
import { LoadedPages } from "@/shared/ui/loaded";
import { EmptyState } from "@/shared/ui/states";
import { jobsQuery } from "./api/jobs";
import { FILTERS, JobBadges, JobProgress, kindTitle, subjectOf } from "./parts";

/** A tool's job waits too shortly for its turn to be looked for. */
const SHOWN = FILTERS.filter(({ value }) => value !== "queued");

/** What people ran, newest first. */
export function Studio() {
  const [state, setState] = useState<JobState | undefined>(undefined);
  const jobs = useInfiniteQuery(jobsQuery({ state, tools: true }));
  return (
    <>
      <div className="mb-4">
        <Choices label="Which jobs" options={SHOWN} value={state} onChoose={setState} />
      </div>
      <LoadedPages
        query={jobs}
        what="the jobs"
        empty={
          state === undefined ? (
            <EmptyState
              framed
              icon={<WandSparkles className="size-6" aria-hidden="true" />}
              title="Nothing was run yet"
            >
              Write variants of a text and choose, tell what changed in a project, put Markdown into form, export a
              plan.
            </EmptyState>
          ) : (
            <EmptyState framed title={FILTERS.find(({ value }) => value === state)?.none ?? "Nothing"} />
          )
        }
      >
        {(all) => (
          <Lines testId="studio-jobs">
            {all.map((job) => (
              <StudioLine key={job.id} job={job} />
            ))}
          </Lines>
        )}
      </LoadedPages>
    </>
  );
}

function StudioLine({ job }: { job: Job }) {
  const nameOf = useNames();
  return (
    <li>
      <Link
        to="/studio/jobs/$id"
        params={{ id: job.id }}
        className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 hover:bg-hover"
      >
        <LineText
          title={
            <>
              {subjectOf(job)} <JobBadges job={job} />
            </>
          }
          facts={
            <>
              {kindTitle(job.kind)} · {nameOf(job.author)} ·{" "}
              <span title={fullTime(job.created_at)}>{relativeTime(job.created_at)}</span>
              {job.problem && <span className="text-removed-ink"> · {job.problem}</span>}
            </>
          }
        />
        <JobProgress job={job} />
      </Link>
    </li>
  );
}
