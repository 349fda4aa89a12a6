import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { toast } from "sonner";
import { FieldChanges } from "@/features/plan/change-lines";
import { PlanTree } from "@/features/plan/plan-tree";
import { useSteps } from "@/features/plan/use-steps";
import { diffQuery } from "@/features/review/api/diff";
import { proposalQuery } from "@/features/review/api/proposal";
import { ProposalRecord } from "@/features/review/proposal-record";
import { StateBadge } from "@/features/review/state-badge";
import { isStatus } from "@/shared/api/problem";
import type { Proposal } from "@/shared/api/types";
import { relativeTime } from "@/shared/lib/time";
import { useTitle } from "@/shared/lib/use-title";
import { Button } from "@/shared/ui/button";
import { ErrorState, SkeletonLines } from "@/shared/ui/states";
import { TwoColumns } from "../two-columns";
import { Workspace } from "../workspace";
import { NotFoundPage } from "./not-found-page";

/** One proposal: while it is open to decide on it, afterwards as the record of what was decided. */
export function ProposalPage() {
  const { number: text } = useParams({ from: "/signed-in/proposals/$number" });
  const number = Number(text);
  const proposal = useQuery({ ...proposalQuery(number), enabled: Number.isInteger(number) && number > 0 });
  const navigate = useNavigate();
  useTitle(proposal.data ? `#${number} ${proposal.data.title}` : `#${text}`);
  if (!Number.isInteger(number) || isStatus(proposal.error, 404)) return <NotFoundPage />;
  if (proposal.isError)
    return (
      <ErrorState error={proposal.error} title="The proposal could not be loaded" onRetry={() => proposal.refetch()} />
    );
  if (!proposal.data) return <SkeletonLines label="Loading the proposal" widths={["w-1/3", "w-2/3", "w-1/2"]} />;
  const shown = proposal.data;
  const accepted = (decided: Proposal) => {
    toast.success(`${decided.project} is at version ${decided.applied_as}`);
    if (decided.project) void navigate({ to: "/p/$key", params: { key: decided.project } });
  };
  return (
    <TwoColumns
      header={
        <header className="flex min-h-14 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2">
          <h1 className="min-w-0 truncate font-semibold text-lg">
            <span className="text-ink-mute">#{shown.number}</span> {shown.title}
          </h1>
          <StateBadge state={shown.state} />
          <span className="text-ink-mute text-xs">
            {shown.author}, {relativeTime(shown.created_at)}
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
            onOpen={() => {}}
            onAccepted={accepted}
            empty={<SkeletonLines label="Loading the changes" widths={["w-2/3", "w-1/2"]} />}
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
