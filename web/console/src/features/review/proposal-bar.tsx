import { Check, Ellipsis, ShieldAlert, X } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Diff, Proposal } from "@/shared/api/types";
import { useHotkeys } from "@/shared/lib/hotkeys";
import { relativeTime } from "@/shared/lib/time";
import { Button, IconButton } from "@/shared/ui/button";
import { Menu, MenuItem } from "@/shared/ui/menu";
import { Badge } from "@/shared/ui/small";
import { stillNeeded, useAccept } from "./api/accept";
import { useWithdraw } from "./api/withdraw";
import { Conflicts } from "./conflicts";
import { Counts } from "./counts";
import { Refusal } from "./refusal";
import { RejectDialog } from "./reject-dialog";

interface ProposalBarProps {
  proposal: Proposal;
  /** Its title is the heading of the page already. */
  isTitled?: boolean;
  diff: Diff | undefined;
  chosen: ReadonlySet<number>;
  isAll: boolean;
  onChooseAll: (kept: boolean) => void;
  onTake: (index: number) => void;
  onAccepted: (proposal: Proposal) => void;
}

/** The dotted heading over a plan with an open proposal: what it is, that nothing has changed yet, and the ways to decide. */
export function ProposalBar({
  proposal,
  isTitled,
  diff,
  chosen,
  isAll,
  onChooseAll,
  onTake,
  onAccepted,
}: ProposalBarProps) {
  const nameOf = useNames();
  const [rejecting, setRejecting] = useState(false);
  const accept = useAccept(proposal.number, onAccepted);
  const withdraw = useWithdraw(proposal.number);
  const missing = (diff?.entries ?? [])
    .filter((entry) => chosen.has(entry.index))
    .flatMap((entry) => entry.needs.filter((needed) => !chosen.has(needed)).map((needed) => ({ entry, needed })));
  const canAccept =
    diff !== undefined &&
    chosen.size > 0 &&
    missing.length === 0 &&
    proposal.conflicts.length === 0 &&
    !accept.isPending;
  const acceptAll = () => diff && accept.mutate({ digest: diff.digest });
  const acceptChosen = () => diff && accept.mutate({ ops: [...chosen].sort((a, b) => a - b), digest: diff.digest });

  useHotkeys({
    a: () => canAccept && (isAll ? acceptAll() : acceptChosen()),
    r: () => setRejecting(true),
  });

  return (
    <section
      aria-label={`Proposal #${proposal.number}`}
      data-testid="proposal"
      className="border-accent border-b-2 border-dotted bg-surface px-4 pt-3 pb-2.5"
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <div className="min-w-0 flex-1 basis-64">
          <h2 className="flex items-center gap-2 text-sm">
            <span className="font-semibold text-accent-ink">Proposal #{proposal.number}</span>
            <span className="text-ink-mute">nothing has changed yet</span>
          </h2>
          {!isTitled && (
            <p className="mt-0.5 line-clamp-2 font-medium [overflow-wrap:anywhere]" title={proposal.title}>
              {proposal.title}
            </p>
          )}
        </div>
        <div className="flex items-center gap-1.5">
          <Button
            look="quiet"
            onClick={() => setRejecting(true)}
            data-testid="reject"
            icon={<X className="size-3.5" aria-hidden="true" />}
          >
            Reject
          </Button>
          {isAll ? (
            <Button
              look="primary"
              onClick={acceptAll}
              disabled={!canAccept}
              busy={accept.isPending}
              data-testid="accept-all"
              aria-keyshortcuts="a"
              icon={<Check className="size-3.5" aria-hidden="true" />}
            >
              Accept all
              <Key>A</Key>
            </Button>
          ) : (
            <Button
              look="primary"
              onClick={acceptChosen}
              disabled={!canAccept}
              busy={accept.isPending}
              data-testid="accept-chosen"
              aria-keyshortcuts="a"
              icon={<Check className="size-3.5" aria-hidden="true" />}
            >
              Accept {chosen.size} of {diff?.entries.length}
              <Key>A</Key>
            </Button>
          )}
          <Menu
            label="More for this proposal"
            align="end"
            trigger={
              <IconButton label="More">
                <Ellipsis className="size-4" aria-hidden="true" />
              </IconButton>
            }
          >
            <MenuItem onSelect={() => onChooseAll(true)}>Tick all</MenuItem>
            <MenuItem onSelect={() => onChooseAll(false)}>Untick all</MenuItem>
            <MenuItem
              dangerous
              onSelect={() =>
                withdraw.mutate(undefined, {
                  onSuccess: () => toast.success(`#${proposal.number} is withdrawn. Nothing was changed.`),
                  onError: (error) => toast.error(messageOf(error)),
                })
              }
            >
              Withdraw
            </MenuItem>
          </Menu>
        </div>
      </div>
      <div className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1 text-ink-mute text-xs">
        {diff && <Counts counts={diff.counts} />}
        <span>
          by {nameOf(proposal.author)}, {relativeTime(proposal.updated_at)}
        </span>
        {isRebased(proposal) && <span>brought to version {proposal.base_version} of the plan</span>}
        {proposal.revision > 1 && !isRebased(proposal) && (
          <span className="inline-flex items-center gap-1.5">
            {ordinal(proposal.revision)} draft;
            <span className="size-1.5 rounded-full bg-accent" aria-hidden="true" /> marks what the last refinement
            changed
          </span>
        )}
        {proposal.trust === "untrusted" && (
          <Badge tone="changed">
            <ShieldAlert className="size-3" aria-hidden="true" /> from outside, unverified text
          </Badge>
        )}
        {proposal.risks.map((risk) => (
          <Badge key={`${risk.kind}:${risk.text}`} tone="changed">
            {risk.text}
          </Badge>
        ))}
      </div>
      {proposal.note && <p className="mt-1.5 text-ink-soft text-sm">{proposal.note}</p>}
      {missing.map(({ entry, needed }) => (
        <p
          key={`${entry.index}:${needed}`}
          className="mt-2 flex flex-wrap items-center gap-2 text-removed-ink text-sm"
          data-testid="missing"
        >
          {entry.title} needs operation {needed}, which is left out.
          <Button size="small" onClick={() => onTake(needed)}>
            Take {needed} too
          </Button>
          <Button size="small" look="quiet" onClick={() => onTake(entry.index)}>
            Leave {entry.index} out too
          </Button>
        </p>
      ))}
      <Approvals proposal={proposal} />
      <Conflicts proposal={proposal} />
      {/* Its conflicts say it better. */}
      {proposal.conflicts.length === 0 && <Refusal error={accept.error} onDismiss={() => accept.reset()} />}
      <RejectDialog open={rejecting} number={proposal.number} onClose={() => setRejecting(false)} />
    </section>
  );
}

/** Who has approved, and what the policy asks for still. */
function Approvals({ proposal }: { proposal: Proposal }) {
  const nameOf = useNames();
  const approvals = proposal.standing?.approvals ?? [];
  if (approvals.length === 0) return null;
  const names = [...new Set(approvals.map((approval) => nameOf(approval.by)))];
  return (
    <p className="mt-1.5 flex items-center gap-1.5 text-ink-soft text-sm" data-testid="approvals">
      <Check className="size-3.5 text-added-ink" aria-hidden="true" />
      Approved by {names.join(", ")}. {stillNeeded(proposal)}
    </p>
  );
}

/** While the operations are still being written. */
export function WritingBar({ count, onRefining }: { count: number; onRefining?: number }) {
  return (
    <section
      data-testid="proposal"
      aria-label="A proposal is being written"
      className="border-accent border-b-2 border-dotted bg-surface px-4 py-3"
    >
      <h2 className="flex items-center gap-2 text-sm">
        <span className="size-2 animate-breathe rounded-full bg-accent" aria-hidden="true" />
        <span className="font-semibold text-accent-ink">
          {onRefining ? `Refining proposal #${onRefining}` : "Writing a proposal"}
        </span>
        <span className="text-ink-mute">nothing has changed yet</span>
      </h2>
      <p className="mt-0.5 text-ink-mute text-xs">
        {count === 0 ? "Reading what you wrote" : `${count} ${count === 1 ? "change" : "changes"} so far`}
      </p>
    </section>
  );
}

function Key({ children }: { children: string }) {
  return (
    <span className="ml-0.5 hidden rounded border border-on-accent/40 px-1 text-2xs sm:inline" aria-hidden="true">
      {children}
    </span>
  );
}

/** Whether its newest revision only follows the plan. */
function isRebased(proposal: Proposal): boolean {
  return proposal.revisions.at(-1)?.message.startsWith("rebased onto ") ?? false;
}

function ordinal(number: number): string {
  return ["first", "second", "third", "fourth", "fifth", "sixth"][number - 1] ?? `${number}th`;
}
