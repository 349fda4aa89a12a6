import type { Proposal } from "@/shared/api/types";
import { Badge } from "@/shared/ui/small";

const LOOKS: Record<Proposal["state"], { tone: "neutral" | "accent" | "added" | "changed" | "removed"; text: string }> =
  {
    draft: { tone: "neutral", text: "being written" },
    open: { tone: "accent", text: "open" },
    accepted: { tone: "added", text: "accepted" },
    applied: { tone: "added", text: "applied" },
    rejected: { tone: "removed", text: "rejected" },
    withdrawn: { tone: "neutral", text: "withdrawn" },
    expired: { tone: "neutral", text: "expired" },
  };

export function StateBadge({ state }: { state: Proposal["state"] }) {
  const look = LOOKS[state];
  return <Badge tone={look.tone}>{look.text}</Badge>;
}

/** How much of an open proposal the plan has overtaken. */
export function ToSettle({ proposal }: { proposal: Proposal }) {
  if (proposal.state !== "open" || proposal.conflicts.length === 0) return null;
  return <Badge tone="changed">{proposal.conflicts.length} to settle</Badge>;
}
