import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Endpoint, SentDelivery } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Line } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { Badge } from "@/shared/ui/small";
import { sentQuery, useResend, useRotateEndpoint, useSwitchEndpoint } from "./api/endpoints";
import { RotateDialog, Secrets } from "./secrets";

const STATES: Record<SentDelivery["state"], "neutral" | "added" | "removed"> = {
  waiting: "neutral",
  delivered: "added",
  failed: "removed",
};

/** One endpoint; opened, with what it was sent. */
export function EndpointLine({ endpoint }: { endpoint: Endpoint }) {
  const [isRotating, setRotating] = useState(false);
  const flip = useSwitchEndpoint();
  const rotate = useRotateEndpoint(endpoint.id);
  const isFailing = endpoint.enabled && endpoint.failing_since !== null;
  return (
    <Line
      testId="endpoint"
      title={
        <>
          {endpoint.url}
          {!endpoint.enabled && <Badge tone="changed">off</Badge>}
          {isFailing && <Badge tone="removed">failing</Badge>}
        </>
      }
      facts={
        <>
          {endpoint.events.join(", ")}
          {endpoint.disabled_why && <span className="text-removed-ink"> · {endpoint.disabled_why}</span>}
        </>
      }
      actions={
        <>
          <Button
            size="small"
            aria-label={`${endpoint.enabled ? "Turn off" : "Turn on"}: ${endpoint.url}`}
            busy={flip.isPending}
            onClick={() =>
              flip.mutate(
                { id: endpoint.id, enabled: !endpoint.enabled },
                { onError: (error) => toast.error(messageOf(error)) },
              )
            }
          >
            {endpoint.enabled ? "Turn off" : "Turn on"}
          </Button>
          <Button
            size="small"
            look="quiet"
            aria-label={`New secret: ${endpoint.url}`}
            onClick={() => setRotating(true)}
          >
            New secret
          </Button>
          <RotateDialog open={isRotating} name={endpoint.url} mutation={rotate} onClose={() => setRotating(false)} />
        </>
      }
    >
      {() => (
        <>
          <Secrets all={endpoint.secrets} />
          <Sent endpoint={endpoint.id} />
        </>
      )}
    </Line>
  );
}

function Sent({ endpoint }: { endpoint: string }) {
  const sent = useQuery(sentQuery(endpoint));
  const resend = useResend(endpoint);
  return (
    <Loaded query={sent} what="what it was sent">
      {(all) =>
        all.length === 0 ? (
          <p className="text-ink-mute">It was sent nothing yet.</p>
        ) : (
          <ul className="divide-y divide-line rounded-lg border border-line" data-testid="sent">
            {all.map((delivery) => {
              const last = delivery.attempts.at(-1);
              return (
                <li key={delivery.id} className="flex items-start gap-3 px-3 py-2">
                  <div className="min-w-0 flex-1 space-y-1">
                    <p className="flex flex-wrap items-center gap-2">
                      <span className="font-mono text-xs">{delivery.event}</span>
                      <Badge tone={STATES[delivery.state]}>{delivery.state}</Badge>
                      <span className="text-ink-mute text-xs" title={fullTime(delivery.created_at)}>
                        {relativeTime(delivery.created_at)}
                      </span>
                    </p>
                    {last && (
                      <p className="break-words text-ink-soft text-xs">
                        attempt {delivery.attempts.length}: {last.problem ?? `it answered ${last.status}`}, in{" "}
                        {last.duration_ms} ms
                      </p>
                    )}
                    <details>
                      <summary className="cursor-pointer text-ink-mute text-xs">Body</summary>
                      <pre className="mt-1 max-h-64 overflow-auto whitespace-pre-wrap break-all rounded bg-sunken p-2 font-mono text-xs">
                        {delivery.body}
                      </pre>
                    </details>
                  </div>
                  {delivery.state !== "waiting" && (
                    <Button
                      size="small"
                      aria-label={`Send again: ${delivery.event}`}
                      busy={resend.isPending && resend.variables === delivery.id}
                      onClick={() => resend.mutate(delivery.id, { onError: (error) => toast.error(messageOf(error)) })}
                    >
                      Send again
                    </Button>
                  )}
                </li>
              );
            })}
          </ul>
        )
      }
    </Loaded>
  );
}
