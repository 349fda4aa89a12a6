import { Link } from "@tanstack/react-router";
import { GitPullRequestArrow } from "lucide-react";
import type { Proposal } from "@/shared/api/types";
import { relativeTime } from "@/shared/lib/time";
import { Avatar, Badge } from "@/shared/ui/small";
import { StateBadge } from "./state-badge";

export function ProposalList({ proposals }: { proposals: Proposal[] }) {
  return (
    <ul
      className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface"
      data-testid="proposal-list"
    >
      {proposals.map((proposal) => (
        <li key={proposal.number}>
          <Link
            to="/proposals/$number"
            params={{ number: String(proposal.number) }}
            className="flex items-center gap-3 px-4 py-3 transition-colors hover:bg-hover focus-visible:-outline-offset-2"
          >
            <GitPullRequestArrow className="size-4 shrink-0 text-accent-ink" aria-hidden="true" />
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">{proposal.title}</span>
              <span className="block truncate text-ink-mute text-xs">
                #{proposal.number} · {proposal.project ?? "a new project"} · {proposal.operations.length}{" "}
                {proposal.operations.length === 1 ? "operation" : "operations"} · {relativeTime(proposal.updated_at)}
              </span>
            </span>
            {proposal.trust === "untrusted" && <Badge tone="changed">unverified</Badge>}
            {proposal.state !== "open" && <StateBadge state={proposal.state} />}
            <Avatar name={proposal.author} />
          </Link>
        </li>
      ))}
    </ul>
  );
}
