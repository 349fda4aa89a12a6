import { useInfiniteQuery } from "@tanstack/react-query";
import { Inbox } from "lucide-react";
import { useState } from "react";
import type { JobState } from "@/shared/api/types";
import { Choices } from "@/shared/ui/choices";
import { Lines } from "@/shared/ui/line";
import { LoadedPages } from "@/shared/ui/loaded";
import { SectionHeader } from "@/shared/ui/section";
import { EmptyState } from "@/shared/ui/states";
import { jobsQuery } from "./api/jobs";
import { JobLine } from "./job-line";
import { FILTERS } from "./parts";

/** What is done in the background; for admins also the ways to mend it. */
export function Jobs({ canManage }: { canManage: boolean }) {
  const [state, setState] = useState<JobState | undefined>(undefined);
  const jobs = useInfiniteQuery(jobsQuery({ state }));
  return (
    <section aria-labelledby="jobs">
      <SectionHeader
        id="jobs"
        title="Work"
        lead="What is done in the background. What was given up waits here until somebody mends it; nothing is dropped."
      />
      <div className="mb-4">
        <Choices label="Which work" options={FILTERS} value={state} onChoose={setState} />
      </div>
      <LoadedPages
        query={jobs}
        what="the work"
        empty={
          <EmptyState
            framed
            icon={<Inbox className="size-6" aria-hidden="true" />}
            title={FILTERS.find((filter) => filter.value === state)?.none ?? "Nothing"}
          />
        }
      >
        {(all) => (
          <Lines testId="job-list">
            {all.map((job) => (
              <JobLine key={job.id} job={job} canManage={canManage} />
            ))}
          </Lines>
        )}
      </LoadedPages>
    </section>
  );
}
