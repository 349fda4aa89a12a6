import { useQuery } from "@tanstack/react-query";
import { Bot } from "lucide-react";
import type { Agent, Lease } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Lines, LineText } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { Avatar, Badge } from "@/shared/ui/small";
import { EmptyState } from "@/shared/ui/states";
import { agentsQuery, leasesQuery } from "./api/collab";
import { ResourceName } from "./resource-name";

/** Programs that work on plans: what they are, what they can do, who is there, and what they hold. */
export function Agents() {
  const agents = useQuery(agentsQuery);
  const leases = useQuery(leasesQuery).data ?? [];
  return (
    <Loaded query={agents} what="the agents">
      {(all) =>
        all.length === 0 ? (
          <EmptyState framed icon={<Bot className="size-6" aria-hidden="true" />} title="No agent has come by yet">
            <p>An agent is a member with a key, that says what it is and that it is there. An admin makes one with</p>
            <code className="mt-2 inline-block rounded bg-sunken px-2 py-1 font-mono text-xs">
              patchbay key create --agent builder
            </code>
          </EmptyState>
        ) : (
          <Lines testId="agents">
            {[...all]
              .sort(
                (one, other) => Number(other.is_present) - Number(one.is_present) || one.name.localeCompare(other.name),
              )
              .map((agent) => (
                <AgentLine
                  key={agent.agent}
                  agent={agent}
                  holds={leases.filter(({ member }) => member === agent.agent)}
                />
              ))}
          </Lines>
        )
      }
    </Loaded>
  );
}

const AVAILABLE: Record<Agent["availability"], { title: string; tone: "added" | "changed" | "neutral" }> = {
  available: { title: "available", tone: "added" },
  busy: { title: "busy", tone: "changed" },
  away: { title: "away", tone: "neutral" },
};

function AgentLine({ agent, holds }: { agent: Agent; holds: Lease[] }) {
  const { title, tone } = agent.is_present
    ? AVAILABLE[agent.availability]
    : { title: "gone", tone: "neutral" as const };
  return (
    <li className="flex items-start gap-3 px-4 py-3" data-testid={`agent-${agent.agent}`}>
      <span className="relative mt-0.5">
        <Avatar name={agent.name} size="medium" />
        <span
          aria-hidden="true"
          className={cx(
            "absolute -right-0.5 -bottom-0.5 size-2.5 rounded-full border-2 border-surface",
            agent.is_present ? "bg-added-line" : "bg-line-strong",
          )}
        />
      </span>
      <div className="min-w-0 flex-1 space-y-1.5">
        <LineText
          title={
            <>
              {agent.name} <Badge tone={tone}>{title}</Badge>
            </>
          }
          facts={
            <>
              {agent.role} · seen <span title={fullTime(agent.last_seen_at)}>{relativeTime(agent.last_seen_at)}</span>
            </>
          }
        />
        {agent.skills.length > 0 && (
          <ul aria-label="Skills" className="flex flex-wrap gap-1">
            {agent.skills.map((skill) => (
              <li key={skill}>
                <Badge>{skill}</Badge>
              </li>
            ))}
          </ul>
        )}
        {holds.length > 0 && (
          <p className="flex flex-wrap gap-x-2 text-ink-soft text-xs">
            holds
            {holds.map((lease) => (
              <ResourceName key={lease.lock_id} name={lease.resource} />
            ))}
          </p>
        )}
      </div>
    </li>
  );
}
