import { useInfiniteQuery } from "@tanstack/react-query";
import { Inbox } from "lucide-react";
import { useState } from "react";
import type { JobState } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { Button } from "@/shared/ui/button";
import { SectionHeader } from "@/shared/ui/section";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { jobsQuery } from "./api/jobs";
import { JobLine } from "./job-line";

const FILTERS: { state: JobState | undefined; title: string; none: string }[] = [
  { state: undefined, title: "All", none: "Nothing has been done in the background yet" },
  { state: "running", title: "Running", none: "Nothing is running" },
  { state: "queued", title: "Queued", none: "Nothing waits" },
  { state: "scheduled", title: "Scheduled", none: "Nothing waits for its time" },
  { state: "dead", title: "Given up", none: "Nothing was given up" },
  { state: "done", title: "Done", none: "Nothing is done yet" },
];

/** What is done in the background; for admins also the ways to mend it. */
export function Jobs({ canManage }: { canManage: boolean }) {
  const [state, setState] = useState<JobState | undefined>(undefined);
  const jobs = useInfiniteQuery(jobsQuery(state));
  const all = jobs.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <section aria-labelledby="jobs">
      <SectionHeader
        id="jobs"
        title="Work"
        lead="What is done in the background. What was given up waits here until somebody mends it; nothing is dropped."
      />
      <fieldset className="mb-4 flex flex-wrap gap-1">
        <legend className="sr-only">Which work</legend>
        {FILTERS.map((filter) => (
          <label
            key={filter.title}
            className={cx(
              "flex h-7 cursor-pointer items-center rounded-md px-2.5 text-xs has-focus-visible:outline-2 has-focus-visible:outline-focus",
              state === filter.state ? "bg-selected font-medium text-ink" : "text-ink-soft hover:bg-hover",
            )}
          >
            <input
              type="radio"
              name="state"
              className="sr-only"
              checked={state === filter.state}
              onChange={() => setState(filter.state)}
            />
            {filter.title}
          </label>
        ))}
      </fieldset>
      {jobs.isPending ? (
        <SkeletonLines label="Loading the work" widths={["w-1/2", "w-2/3", "w-3/5"]} />
      ) : jobs.isError ? (
        <ErrorState error={jobs.error} title="The work could not be loaded" onRetry={() => jobs.refetch()} />
      ) : all.length === 0 ? (
        <div className="rounded-xl border border-line">
          <EmptyState
            icon={<Inbox className="size-6" aria-hidden="true" />}
            title={FILTERS.find((filter) => filter.state === state)?.none ?? "Nothing"}
          />
        </div>
      ) : (
        <>
          <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="job-list">
            {all.map((job) => (
              <JobLine key={job.id} job={job} canManage={canManage} />
            ))}
          </ul>
          {jobs.hasNextPage && (
            <Button className="mt-3" onClick={() => jobs.fetchNextPage()} busy={jobs.isFetchingNextPage}>
              Older
            </Button>
          )}
        </>
      )}
    </section>
  );
}
