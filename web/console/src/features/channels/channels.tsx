import { useQuery } from "@tanstack/react-query";
import { AtSign, Link2 } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import type { Channel, Identity } from "@/shared/api/types";
import { relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { SectionHeader } from "@/shared/ui/section";
import { Badge } from "@/shared/ui/small";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { channelsQuery, identitiesQuery, useUnlink } from "./api/channels";
import { CodeDialog } from "./code-dialog";
import { LimitsDialog } from "./limits-dialog";
import { MalformedList } from "./malformed";
import { ICONS } from "./names";

/** Where people can speak to Patchbay, and who they are there. */
export function Channels({ canManage }: { canManage: boolean }) {
  return (
    <div className="space-y-10">
      <ChannelList canManage={canManage} />
      <Identities canManage={canManage} />
      {canManage && <MalformedList />}
    </div>
  );
}

function ChannelList({ canManage }: { canManage: boolean }) {
  const channels = useQuery(channelsQuery);
  const [setting, setSetting] = useState<Channel | null>(null);
  return (
    <section aria-labelledby="channels">
      <SectionHeader
        id="channels"
        title="Channels"
        lead="The same commands and the same proposals, wherever people are."
      />
      {channels.isPending ? (
        <SkeletonLines label="Loading the channels" widths={["w-1/2", "w-2/3", "w-3/5"]} />
      ) : channels.isError ? (
        <ErrorState
          error={channels.error}
          title="The channels could not be loaded"
          onRetry={() => channels.refetch()}
        />
      ) : (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="channel-list">
          {channels.data.map((channel) => {
            const Icon = ICONS[channel.channel];
            return (
              <li key={channel.channel} className="flex items-center gap-3 px-4 py-3">
                <Icon className="size-5 shrink-0 text-ink-mute" aria-hidden="true" />
                <div className="min-w-0 flex-1">
                  <p className="flex flex-wrap items-center gap-2 font-medium">
                    {channel.title}
                    {channel.is_connected ? (
                      <Badge tone="added">connected</Badge>
                    ) : (
                      <Badge title="Its settings are missing: see the guide">not connected</Badge>
                    )}
                    {channel.connection?.state === "closed" && <Badge tone="removed">nothing is heard</Badge>}
                  </p>
                  <p className="text-ink-mute text-xs">
                    {!channel.is_connected && (
                      <>
                        How to connect it: <code>docs/guides/{channel.channel}.md</code> ·{" "}
                      </>
                    )}
                    {channel.connection?.problem && <>{channel.connection.problem} · </>}
                    {channel.settings.per_sender} messages a minute from one person, {channel.settings.per_channel} from
                    all{channel.settings.trust_email && " · who has a member's address is that member"}
                  </p>
                  {channel.is_connected && <Used channel={channel} />}
                </div>
                {canManage && (
                  <Button size="small" aria-label={`Settings of ${channel.title}`} onClick={() => setSetting(channel)}>
                    Settings
                  </Button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {setting && <LimitsDialog channel={setting} onClose={() => setSetting(null)} />}
    </section>
  );
}

/** How much of its limits the last minute used. */
function Used({ channel: { used, settings } }: { channel: Channel }) {
  const isFull = used.busiest_sender >= settings.per_sender || used.last_minute >= settings.per_channel;
  return (
    <p className="flex flex-wrap items-center gap-2 text-ink-mute text-xs" data-testid="channel-use">
      <span>
        In the last minute: {used.last_minute} of {settings.per_channel} from all
        {used.last_minute > 0 && `, ${used.busiest_sender} of ${settings.per_sender} from the busiest person`}
        {used.turned_away > 0 && ` · ${used.turned_away} turned away`}
      </span>
      {isFull && <Badge tone="changed">at its limit</Badge>}
    </p>
  );
}

function Identities({ canManage }: { canManage: boolean }) {
  const identities = useQuery(identitiesQuery);
  const [isLinking, setLinking] = useState(false);
  const [parting, setParting] = useState<Identity | null>(null);
  const unlink = useUnlink();
  const nameOf = useNames();
  const link = (
    <Button look="primary" onClick={() => setLinking(true)} icon={<Link2 className="size-4" aria-hidden="true" />}>
      Link a channel
    </Button>
  );
  const confirm = () =>
    parting &&
    unlink.mutate(
      { channel: parting.channel, id: parting.external_id },
      {
        onSuccess: () => {
          setParting(null);
          toast.success(`${parting.name} is nobody here any more.`);
        },
      },
    );
  const isEmpty = identities.data?.length === 0;
  return (
    <section aria-labelledby="identities">
      <SectionHeader
        id="identities"
        title="Who is who"
        lead={
          canManage ? "Which member somebody on a channel is." : "Who you are elsewhere: what you write there is yours."
        }
        action={!isEmpty && link}
      />
      {identities.isPending ? (
        <SkeletonLines label="Loading who is who" widths={["w-1/2", "w-2/3"]} />
      ) : identities.isError ? (
        <ErrorState
          error={identities.error}
          title="Who is who could not be loaded"
          onRetry={() => identities.refetch()}
        />
      ) : isEmpty ? (
        <div className="rounded-xl border border-line">
          <EmptyState icon={<AtSign className="size-6" aria-hidden="true" />} title="You are linked nowhere yet">
            <p>Link yourself once, and a message in Slack, Discord or a mail acts in your name.</p>
            <div className="mt-4">{link}</div>
          </EmptyState>
        </div>
      ) : (
        <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="identity-list">
          {identities.data.map((identity) => {
            const Icon = ICONS[identity.channel];
            return (
              <li key={`${identity.channel} ${identity.external_id}`} className="flex items-center gap-3 px-4 py-3">
                <Icon className="size-4 shrink-0 text-ink-mute" aria-hidden="true" />
                <div className="min-w-0 flex-1">
                  <p className="break-words">
                    <span className="font-medium">{identity.name}</span>{" "}
                    <span className="text-ink-soft">is {nameOf(identity.member)}</span>
                  </p>
                  <p className="text-ink-mute text-xs">
                    {identity.proof === "email" ? "known by address" : "linked by code"},{" "}
                    {relativeTime(identity.linked_at)}
                  </p>
                </div>
                <Button size="small" aria-label={`Unlink ${identity.name}`} onClick={() => setParting(identity)}>
                  Unlink
                </Button>
              </li>
            );
          })}
        </ul>
      )}
      <CodeDialog open={isLinking} onClose={() => setLinking(false)} />
      <ConfirmDialog
        open={parting !== null}
        title={`Unlink ${parting?.name ?? ""}?`}
        description="What they write there is a stranger's from now on, until they link themselves again."
        verb="Unlink"
        onConfirm={confirm}
        busy={unlink.isPending}
        error={unlink.error}
        onClose={() => {
          setParting(null);
          unlink.reset();
        }}
        testId="unlink"
      />
    </section>
  );
}
