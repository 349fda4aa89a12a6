import { Link } from "@tanstack/react-router";
import {
  GitMerge,
  GitPullRequestArrow,
  GitPullRequestClosed,
  GitPullRequestDraft,
  type LucideIcon,
} from "lucide-react";
import { useNames } from "@/shared/api/members";
import type { Proposal } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { relativeTime } from "@/shared/lib/time";
import { LineText } from "@/shared/ui/line";
import { Avatar, Badge } from "@/shared/ui/small";
import { StateBadge, ToSettle } from "./state-badge";

const ICONS: Record<Proposal["state"], [LucideIcon, string]> = {
  draft: [GitPullRequestDraft, "text-ink-mute"],
  open: [GitPullRequestArrow, "text-accent-ink"],
  accepted: [GitMerge, "text-added-ink"],
  applied: [GitMerge, "text-added-ink"],
  rejected: [GitPullRequestClosed, "text-removed-ink"],
  withdrawn: [GitPullRequestClosed, "text-ink-mute"],
  expired: [GitPullRequestClosed, "text-ink-mute"],
};

export function ProposalList({ proposals }: { proposals: Proposal[] }) {
  const nameOf = useNames();
  return (
    <ul
      className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface"
      data-testid="proposal-list"
    >
      {proposals.map((proposal) => {
        const operations = proposal.operations.length;
        return (
          <li key={proposal.number}>
            <Link
              to="/proposals/$number"
              params={{ number: String(proposal.number) }}
              className="flex items-start gap-3 px-4 py-3 transition-colors hover:bg-hover focus-visible:-outline-offset-2"
            >
              <StateIcon state={proposal.state} />
              <LineText
                title={
                  <>
                    <span className="line-clamp-2">{proposal.title}</span>
                    {proposal.trust === "untrusted" && <Badge tone="changed">unverified</Badge>}
                    <ToSettle proposal={proposal} />
                    {proposal.state !== "open" && <StateBadge state={proposal.state} />}
                  </>
                }
                facts={[
                  `#${proposal.number}`,
                  proposal.project ?? "a new project",
                  nameOf(proposal.author),
                  ...(operations > 0 ? [operations === 1 ? "1 operation" : `${operations} operations`] : []),
                  relativeTime(proposal.updated_at),
                ].join(" · ")}
              />
              <span className="max-sm:hidden">
                <Avatar name={nameOf(proposal.author)} />
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

function StateIcon({ state }: { state: Proposal["state"] }) {
  const [Icon, ink] = ICONS[state];
  return <Icon className={cx("mt-0.75 size-4 shrink-0", ink)} aria-hidden="true" />;
}
