import { useQuery } from "@tanstack/react-query";
import { LockKeyhole } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Lease } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { fullTime, relativeTime, secondsText } from "@/shared/lib/time";
import { useNow } from "@/shared/lib/use-now";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { SelectField, TextField } from "@/shared/ui/field";
import { Lines, LineText } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { Badge } from "@/shared/ui/small";
import { EmptyState } from "@/shared/ui/states";
import { leasesQuery, useRelease, useSteal } from "./api/collab";
import { ResourceName } from "./resource-name";

/** Who holds what, and until when. */
export function Leases({ me }: { me: { handle: string; isAdmin: boolean } }) {
  const leases = useQuery(leasesQuery);
  const [stealing, setStealing] = useState<Lease | null>(null);
  return (
    <>
      <Loaded query={leases} what="the leases">
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              framed
              icon={<LockKeyhole className="size-6" aria-hidden="true" />}
              title="Nobody holds anything"
            >
              What an agent claims is its own until it gives it back or falls silent. Until then it stands here.
            </EmptyState>
          ) : (
            <Lines testId="leases">
              {[...all]
                .sort((one, other) => one.expires_at.localeCompare(other.expires_at))
                .map((lease) => (
                  <LeaseLine key={lease.lock_id} lease={lease} me={me} onSteal={() => setStealing(lease)} />
                ))}
            </Lines>
          )
        }
      </Loaded>
      {stealing && <StealDialog lease={stealing} onClose={() => setStealing(null)} />}
    </>
  );
}

/** What is left of a lease is shown in red when it is less than this part of it. */
const SHORT = 0.2;

interface LeaseLineProps {
  lease: Lease;
  me: { handle: string; isAdmin: boolean };
  onSteal: () => void;
}

function LeaseLine({ lease, me, onSteal }: LeaseLineProps) {
  const nameOf = useNames();
  const release = useRelease();
  const left = Math.max(0, (new Date(lease.expires_at).getTime() - useNow()) / 1_000);
  const share = Math.min(1, left / lease.ttl_seconds);
  const isMine = lease.member === me.handle;
  const goesBy = lease.holder === lease.member ? "" : ` as ${lease.holder}`;
  return (
    <li className="flex flex-wrap items-center justify-end gap-x-4 gap-y-2 px-4 py-3" data-testid="lease">
      <span className="min-w-[min(16rem,100%)] flex-1">
        <LineText
          title={
            <>
              <ResourceName name={lease.resource} />
              {lease.is_claim && <Badge title="It came with the task">claim</Badge>}
            </>
          }
          facts={
            <>
              {nameOf(lease.member)}
              {goesBy} · since <span title={fullTime(lease.acquired_at)}>{relativeTime(lease.acquired_at)}</span> ·
              token {lease.fencing_token}
            </>
          }
        />
      </span>
      <span className="flex items-center gap-4 max-sm:w-full">
        <span className="flex w-36 flex-col gap-1 max-sm:flex-1" title={`until ${fullTime(lease.expires_at)}`}>
          <span className={cx("text-xs tabular-nums", share < SHORT ? "text-removed-ink" : "text-ink-soft")}>
            {left === 0 ? "it has run out" : `${secondsText(left)} left`}
          </span>
          <span aria-hidden="true" className="h-1 overflow-hidden rounded-full bg-line">
            <span
              className={cx("block h-full rounded-full", share < SHORT ? "bg-removed-line" : "bg-accent")}
              style={{ width: `${share * 100}%` }}
            />
          </span>
        </span>
        {isMine ? (
          <Button
            size="small"
            aria-label={`Give back ${lease.resource}`}
            busy={release.isPending}
            onClick={() => release.mutate(lease.lock_id, { onError: (error) => toast.error(messageOf(error)) })}
          >
            Give back
          </Button>
        ) : (
          me.isAdmin && (
            <Button size="small" aria-label={`Take over ${lease.resource}`} onClick={onSteal}>
              Take over
            </Button>
          )
        )}
      </span>
    </li>
  );
}

const FIELDS = ["reason", "ttl_seconds"] as const;

function StealDialog({ lease, onClose }: { lease: Lease; onClose: () => void }) {
  const nameOf = useNames();
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Take over ${lease.resource}?`}
      description={`${nameOf(lease.member)} loses it at once: what they still write under it is refused. You hold it then, until you give it back or it runs out.`}
      insists
      testId="steal"
    >
      <MutationForm
        mutation={useSteal(lease.lock_id)}
        fields={FIELDS}
        read={(form) => ({ reason: text(form, "reason") ?? "", ttl_seconds: Number(form.get("ttl_seconds")) })}
        onDone={() => {
          toast.success(`You hold ${lease.resource}.`);
          onClose();
        }}
        onClose={onClose}
        verb="Take over"
      >
        {(faults) => (
          <>
            <TextField
              label="Why"
              name="reason"
              maxLength={500}
              autoComplete="off"
              autoFocus
              hint="It is told, and stands in the audit trail."
              error={faults.reason}
            />
            <SelectField label="For" name="ttl_seconds" defaultValue={300} error={faults.ttl_seconds}>
              <option value={60}>a minute</option>
              <option value={300}>5 minutes</option>
              <option value={3600}>an hour</option>
              <option value={86400}>a day</option>
            </SelectField>
          </>
        )}
      </MutationForm>
    </Dialog>
  );
}
