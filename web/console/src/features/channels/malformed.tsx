import { useQuery } from "@tanstack/react-query";
import { FileCheck } from "lucide-react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Malformed } from "@/shared/api/types";
import { bytes } from "@/shared/lib/bytes";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { SectionHeader } from "@/shared/ui/section";
import { Badge } from "@/shared/ui/small";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { malformedQuery, useDiscard } from "./api/malformed";
import { ICONS, TITLES } from "./names";

/** What a platform signed, or the mailbox got, and nobody could read. */
export function MalformedList() {
  const kept = useQuery(malformedQuery);
  return (
    <section aria-labelledby="malformed">
      <SectionHeader
        id="malformed"
        title="Could not be read"
        lead="What a platform signed, or the mailbox got, and meant nothing. Tokens are taken out. After a month it is gone."
      />
      {kept.isPending ? (
        <SkeletonLines label="Loading what could not be read" widths={["w-1/2", "w-2/3"]} />
      ) : kept.isError ? (
        <ErrorState
          error={kept.error}
          title="What could not be read could not be loaded"
          onRetry={() => kept.refetch()}
        />
      ) : kept.data.length === 0 ? (
        <div className="rounded-xl border border-line">
          <EmptyState icon={<FileCheck className="size-6" aria-hidden="true" />} title="Everything could be read">
            <p>What a channel brings and nobody can read appears here, with the reason.</p>
          </EmptyState>
        </div>
      ) : (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="malformed-list">
          {kept.data.map((malformed) => (
            <MalformedLine key={malformed.id} malformed={malformed} />
          ))}
        </ul>
      )}
    </section>
  );
}

function MalformedLine({ malformed }: { malformed: Malformed }) {
  const discard = useDiscard();
  const Icon = ICONS[malformed.channel];
  const title = TITLES[malformed.channel];
  return (
    <li className="flex items-start gap-3 px-4 py-3">
      <Icon className="mt-0.5 size-4 shrink-0 text-ink-mute" aria-hidden="true" />
      <div className="min-w-0 flex-1 space-y-1">
        <p className="break-words">{malformed.error}</p>
        <p className="flex flex-wrap items-center gap-2 text-ink-mute text-xs">
          <span title={fullTime(malformed.last_at)}>
            {title}, {relativeTime(malformed.last_at)}
          </span>
          {malformed.times > 1 && <Badge>{malformed.times} times</Badge>}
          <span>{bytes(malformed.size_bytes)}</span>
        </p>
        <details>
          <summary className="cursor-pointer text-ink-mute text-xs">Body</summary>
          {/* Long bodies scroll, and by the keyboard too. */}
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached.
            tabIndex={0}
            className="mt-1 max-h-64 overflow-auto whitespace-pre-wrap break-all rounded bg-sunken p-2 font-mono text-xs"
          >
            {malformed.body}
          </pre>
        </details>
      </div>
      <Button
        size="small"
        aria-label={`Discard what ${title} sent ${relativeTime(malformed.last_at)}`}
        busy={discard.isPending}
        onClick={() => discard.mutate(malformed, { onError: (error) => toast.error(messageOf(error)) })}
      >
        Discard
      </Button>
    </li>
  );
}
