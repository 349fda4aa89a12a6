import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Delivery, Source } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { CopyField } from "@/shared/ui/copy-field";
import { Line } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { Badge } from "@/shared/ui/small";
import { deliveriesQuery, useRotateSource, useUpdateSource } from "./api/sources";
import { RotateDialog, Secrets } from "./secrets";
import { TryDialog } from "./try-dialog";

const OUTCOMES: Record<Delivery["outcome"], "neutral" | "added" | "removed"> = {
  waiting: "neutral",
  ignored: "neutral",
  submitted: "added",
  failed: "removed",
};

/** One source; opened, with what it delivered. */
export function SourceLine({ source }: { source: Source }) {
  const [trying, setTrying] = useState<Delivery | "any" | null>(null);
  const [isRotating, setRotating] = useState(false);
  const update = useUpdateSource();
  const rotate = useRotateSource(source.id);
  const flip = () =>
    update.mutate(
      { id: source.id, change: { enabled: !source.enabled } },
      { onError: (error) => toast.error(messageOf(error)) },
    );
  return (
    <Line
      testId="source"
      title={
        <>
          {source.name}
          {!source.enabled && <Badge tone="changed">off</Badge>}
        </>
      }
      facts={`${source.kind} · ${source.makes === "plan" ? "proposals" : "commands"}${source.project ? ` in ${source.project}` : ""} · as @${source.member}`}
      actions={
        <>
          <Button size="small" aria-label={`Try it: ${source.name}`} onClick={() => setTrying("any")}>
            Try it
          </Button>
          <Button
            size="small"
            aria-label={`${source.enabled ? "Turn off" : "Turn on"}: ${source.name}`}
            busy={update.isPending}
            onClick={flip}
          >
            {source.enabled ? "Turn off" : "Turn on"}
          </Button>
          <Button size="small" look="quiet" aria-label={`New secret: ${source.name}`} onClick={() => setRotating(true)}>
            New secret
          </Button>
          <RotateDialog open={isRotating} name={source.name} mutation={rotate} onClose={() => setRotating(false)} />
          {trying && (
            <TryDialog source={source} delivery={trying === "any" ? null : trying} onClose={() => setTrying(null)} />
          )}
        </>
      }
    >
      {() => (
        <>
          <CopyField
            label="Where it delivers to"
            value={source.url}
            hint="Whoever knows it still needs the secret."
            quiet
          />
          <Secrets all={source.secrets} />
          <Deliveries source={source} onTry={setTrying} />
        </>
      )}
    </Line>
  );
}

function Deliveries({ source, onTry }: { source: Source; onTry: (delivery: Delivery) => void }) {
  const deliveries = useQuery(deliveriesQuery(source.id));
  return (
    <Loaded query={deliveries} what="what it delivered">
      {(all) =>
        all.length === 0 ? (
          <p className="text-ink-mute">Nothing was delivered yet.</p>
        ) : (
          <ul className="divide-y divide-line rounded-lg border border-line" data-testid="deliveries">
            {all.map((delivery) => (
              <li key={delivery.id} className="flex items-start gap-3 px-3 py-2">
                <div className="min-w-0 flex-1 space-y-1">
                  <p className="flex flex-wrap items-center gap-2">
                    <span className="break-all font-mono text-xs">{delivery.event || "delivery"}</span>
                    <Badge tone={OUTCOMES[delivery.outcome]}>{delivery.outcome}</Badge>
                    <span className="text-ink-mute text-xs" title={fullTime(delivery.received_at)}>
                      {relativeTime(delivery.received_at)}
                    </span>
                  </p>
                  {(delivery.text ?? delivery.why) && (
                    <p className="line-clamp-3 whitespace-pre-wrap break-words text-ink-soft text-xs">
                      {delivery.text ?? delivery.why}
                    </p>
                  )}
                  <details>
                    <summary className="cursor-pointer text-ink-mute text-xs">Body</summary>
                    <pre className="mt-1 max-h-64 overflow-auto whitespace-pre-wrap break-all rounded bg-sunken p-2 font-mono text-xs">
                      {delivery.body}
                    </pre>
                  </details>
                </div>
                <Button
                  size="small"
                  aria-label={`Try the delivery ${delivery.event} of ${relativeTime(delivery.received_at)}`}
                  onClick={() => onTry(delivery)}
                >
                  Try
                </Button>
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
