import { useQuery } from "@tanstack/react-query";
import { GitPullRequestArrow } from "lucide-react";
import { proposalsQuery } from "@/features/review/api/proposals";
import { ProposalList } from "@/features/review/proposal-list";
import { useTitle } from "@/shared/lib/use-title";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { PageBody, PageTitle } from "../page";

export function ProposalsPage() {
  useTitle("Reviews");
  const proposals = useQuery(proposalsQuery(undefined));
  const open = proposals.data?.filter(({ state }) => state === "open") ?? [];
  const decided = proposals.data?.filter(({ state }) => state !== "open") ?? [];
  return (
    <PageBody>
      <PageTitle title="Reviews" />
      {proposals.isPending ? (
        <SkeletonLines label="Loading the proposals" widths={["w-2/3", "w-1/2", "w-3/5"]} />
      ) : proposals.isError ? (
        <ErrorState
          error={proposals.error}
          title="The proposals could not be loaded"
          onRetry={() => proposals.refetch()}
        />
      ) : (
        <>
          {open.length === 0 ? (
            <EmptyState
              icon={<GitPullRequestArrow className="size-6" aria-hidden="true" />}
              title="Nothing waits for a decision"
            >
              What somebody proposes, here or in any channel, stands here until it is accepted or rejected.
            </EmptyState>
          ) : (
            <ProposalList proposals={open} />
          )}
          {decided.length > 0 && (
            <>
              <h2 className="mt-8 mb-2 font-medium text-ink-soft text-sm">Decided</h2>
              <ProposalList proposals={decided} />
            </>
          )}
        </>
      )}
    </PageBody>
  );
}
