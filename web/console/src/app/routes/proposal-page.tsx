import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { toast } from "sonner";
import { FieldChanges } from "@/features/plan/change-lines";
import { PlanTree } from "@/features/plan/plan-tree";
import { useSteps } from "@/features/plan/use-steps";
import { diffQuery } from "@/features/review/api/diff";
import { proposalQuery } from "@/features/review/api/proposal";
import { ProposalRecord } from "@/features/review/proposal-record";
import { StateBadge, ToSettle } from "@/features/review/state-badge";
import { useNames } from "@/shared/api/members";
import { isStatus } from "@/shared/api/problem";
import type { Proposal } from "@/shared/api/types";
import { relativeTime } from "@/shared/lib/time";
import { useTitle } from "@/shared/lib/use-title";
import { Button } from "@/shared/ui/button";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { TwoColumns, TwoColumnsSkeleton } from "../two-columns";
import { Workspace } from "../workspace";
import { NotFoundPage } from "./not-found-page";

/** One proposal: while it is open to decide on it, afterwards as the record of what was decided. */
export function ProposalPage() {
  const { number: text } = useParams({ from: "/signed-in/proposals/$number" });
  const number = Number(text);
  const proposal = useQuery({ ...proposalQuery(number), enabled: Number.isInteger(number) && number > 0 });
  const navigate = useNavigate();
  const nameOf = useNames();
  useTitle(proposal.data ? `#${number} ${proposal.data.title}` : `#${text}`);
  if (!Number.isInteger(number) || isStatus(proposal.error, 404)) return <NotFoundPage />;
  if (proposal.isError)
    return (
      <ErrorState error={proposal.error} title="The proposal could not be loaded" onRetry={() => proposal.refetch()} />
    );
  if (!proposal.data) return <TwoColumnsSkeleton label="Loading the proposal" />;
  const shown = proposal.data;
  const accepted = (decided: Proposal) => {
    toast.success(`${decided.project} is at version ${decided.applied_as}`);
    if (decided.project) void navigate({ to: "/p/$key", params: { key: decided.project } });
  };
  return (
    <TwoColumns
      header={
        <header className="flex min-h-14 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2 sm:flex-nowrap">
          <h1 className="line-clamp-3 min-w-0 font-semibold text-lg [overflow-wrap:anywhere] sm:line-clamp-2">
            <span className="text-ink-mute">#{shown.number}</span> {shown.title}
          </h1>
          <StateBadge state={shown.state} />
          <ToSettle proposal={shown} />
          <span className="shrink-0 text-ink-mute text-xs">
            {nameOf(shown.author)}, {relativeTime(shown.created_at)}
          </span>
          {shown.project && (
            <Button asChild size="small" className="ml-auto">
              <Link to="/p/$key" params={{ key: shown.project }}>
                Open {shown.project}
              </Link>
            </Button>
          )}
        </header>
      }
      plan={
        shown.state === "open" ? (
          <Workspace
            tasks={[]}
            proposal={shown}
            isTitled
            onOpen={() => {}}
            onAccepted={accepted}
            empty={<NoChanges proposal={shown} />}
          />
        ) : (
          <Decided proposal={shown} />
        )
      }
      sideLabel="Record"
      side={
        <div className="min-h-0 flex-1 overflow-y-auto p-4">
          <ProposalRecord proposal={shown} />
        </div>
      }
    />
  );
}

/** Where no change stands: they are still being loaded, or all of them are to be settled first. */
function NoChanges({ proposal }: { proposal: Proposal }) {
  const diff = useQuery(diffQuery(proposal.number));
  if (diff.isPending) return <SkeletonLines label="Loading the changes" widths={["w-2/3", "w-1/2"]} />;
  if (diff.isError) return null;
  return proposal.conflicts.length > 0 ? (
    <EmptyState title="Nothing else is in it">
      What is settled above stands here then, as a change to the plan.
    </EmptyState>
  ) : (
    <EmptyState title="Nothing would change">The plan is as this proposal would make it.</EmptyState>
  );
}

function Decided({ proposal }: { proposal: Proposal }) {
  const diff = useQuery(diffQuery(proposal.number));
  const steps = useSteps("simple");
  if (diff.isPending) return <SkeletonLines label="Loading the changes" widths={["w-2/3", "w-1/2", "w-3/5"]} />;
  if (diff.isError)
    return <ErrorState error={diff.error} title="The changes could not be loaded" onRetry={() => diff.refetch()} />;
  return (
    <>
      {diff.data.project_changes.length > 0 && (
        <div className="border-line border-b px-4 py-2">
          <FieldChanges changes={diff.data.project_changes} />
        </div>
      )}
      <PlanTree
        label={`Changes of #${proposal.number}`}
        tasks={[]}
        entries={diff.data.entries}
        steps={steps}
        onOpen={() => {}}
      />
    </>
  );
}
