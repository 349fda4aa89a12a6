import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Ellipsis, Plus, Zap } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Tagged } from "@/shared/api/tagged";
import type { Project, Trigger, TriggerRun } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button, IconButton } from "@/shared/ui/button";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { Line, Lines } from "@/shared/ui/line";
import { Loaded, LoadedPages } from "@/shared/ui/loaded";
import { Menu, MenuItem } from "@/shared/ui/menu";
import { SectionHeader } from "@/shared/ui/section";
import { Badge } from "@/shared/ui/small";
import { EmptyState } from "@/shared/ui/states";
import { readTrigger, runsQuery, triggersQuery, useRemoveTrigger, useSwitchTrigger } from "./api/triggers";
import { TriggerDialog } from "./trigger-dialog";
import { VersionsDialog } from "./versions-dialog";

type Open =
  | { kind: "new" }
  | { kind: "change"; trigger: Tagged<Trigger>; from?: Trigger }
  | { kind: "versions"; trigger: Trigger };

/** What follows from what happens. */
export function Triggers({ projects, me }: { projects: Project[]; me: string }) {
  const triggers = useQuery(triggersQuery);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const change = (id: string, from?: Trigger) => {
    readTrigger(id).then(
      (trigger) => setOpen({ kind: "change", trigger, from }),
      (error) => toast.error(messageOf(error)),
    );
  };
  return (
    <section aria-labelledby="triggers">
      <SectionHeader
        id="triggers"
        title="Triggers"
        lead="When something happens and a condition holds, then a command or a plan."
        action={
          <Button
            look="primary"
            icon={<Plus className="size-4" aria-hidden="true" />}
            onClick={() => setOpen({ kind: "new" })}
          >
            New trigger
          </Button>
        }
      />
      <Loaded query={triggers} what="the triggers">
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              framed
              icon={<Zap className="size-6" aria-hidden="true" />}
              title="Nothing follows from anything yet"
            >
              A build that fails becomes a task, a document that is published a message: say when, and what then.
            </EmptyState>
          ) : (
            <Lines testId="trigger-list">
              {all.map((trigger) => (
                <TriggerLine
                  key={trigger.id}
                  trigger={trigger}
                  onChange={() => change(trigger.id)}
                  onVersions={() => setOpen({ kind: "versions", trigger })}
                />
              ))}
            </Lines>
          )
        }
      </Loaded>
      {open?.kind === "versions" && (
        <VersionsDialog
          trigger={open.trigger}
          onBackTo={(version) => change(open.trigger.id, version)}
          onClose={close}
        />
      )}
      {(open?.kind === "new" || open?.kind === "change") && (
        <TriggerDialog
          trigger={open.kind === "change" ? open.trigger : null}
          from={open.kind === "change" ? open.from : undefined}
          projects={projects}
          me={me}
          onClose={close}
        />
      )}
    </section>
  );
}

interface TriggerLineProps {
  trigger: Trigger;
  onChange: () => void;
  onVersions: () => void;
}

function TriggerLine({ trigger, onChange, onVersions }: TriggerLineProps) {
  const [isRemoving, setRemoving] = useState(false);
  const flip = useSwitchTrigger();
  const remove = useRemoveTrigger();
  return (
    <Line
      testId="trigger-line"
      title={
        <>
          {trigger.name}
          {!trigger.enabled && <Badge tone="changed">off</Badge>}
        </>
      }
      facts={
        <>
          when <code className="font-mono text-ink-soft">{trigger.event}</code>,{" "}
          {trigger.makes === "plan" ? "a proposal" : "commands"}
          {trigger.project && ` in ${trigger.project}`} · as @{trigger.member} · version {trigger.version}
        </>
      }
      actions={
        <>
          <Button
            size="small"
            aria-label={`${trigger.enabled ? "Turn off" : "Turn on"}: ${trigger.name}`}
            busy={flip.isPending}
            onClick={() =>
              flip.mutate(
                { id: trigger.id, enabled: !trigger.enabled },
                { onError: (error) => toast.error(messageOf(error)) },
              )
            }
          >
            {trigger.enabled ? "Turn off" : "Turn on"}
          </Button>
          <Menu
            label={`More of ${trigger.name}`}
            align="end"
            trigger={
              <IconButton label={`More of ${trigger.name}`}>
                <Ellipsis className="size-4" aria-hidden="true" />
              </IconButton>
            }
          >
            <MenuItem onSelect={onChange}>Change</MenuItem>
            <MenuItem onSelect={onVersions}>Versions</MenuItem>
            <MenuItem dangerous onSelect={() => setRemoving(true)}>
              Take away
            </MenuItem>
          </Menu>
          <ConfirmDialog
            open={isRemoving}
            title={`Take ${trigger.name} away?`}
            description="It does not run again. What it did stays."
            verb="Take away"
            onConfirm={() => remove.mutate(trigger.id, { onSuccess: () => setRemoving(false) })}
            busy={remove.isPending}
            error={remove.error}
            onClose={() => {
              setRemoving(false);
              remove.reset();
            }}
            testId="remove-trigger"
          />
        </>
      }
    >
      {() => (
        <>
          {trigger.condition && <pre className={CODE}>{trigger.condition}</pre>}
          <pre className={CODE}>{trigger.template}</pre>
          <h3 className="font-medium text-ink-soft text-xs">What it did</h3>
          <Runs trigger={trigger.id} />
        </>
      )}
    </Line>
  );
}

const CODE = "whitespace-pre-wrap break-words rounded-md bg-sunken px-3 py-2 font-mono text-xs";

const OUTCOMES: Record<TriggerRun["outcome"], "neutral" | "added" | "changed" | "removed"> = {
  waiting: "neutral",
  submitted: "added",
  skipped: "changed",
  failed: "removed",
};

function Runs({ trigger }: { trigger: string }) {
  const runs = useInfiniteQuery(runsQuery(trigger));
  return (
    <LoadedPages query={runs} what="the run log" empty={<p className="text-ink-mute">It has not run yet.</p>}>
      {(all) => (
        <ol className="divide-y divide-line rounded-lg border border-line" data-testid="trigger-runs">
          {all.map((run) => (
            <li key={run.id} className="space-y-1 px-3 py-2 text-xs">
              <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
                <span className="font-mono">{run.event}</span>
                <Badge tone={OUTCOMES[run.outcome]}>{run.outcome}</Badge>
                <span className="text-ink-mute" title={fullTime(run.at)}>
                  {relativeTime(run.at)} · version {run.version}
                  {run.depth > 0 && ` · after ${run.depth} ${run.depth === 1 ? "trigger" : "triggers"}`}
                </span>
              </p>
              {(run.text ?? run.why) && (
                <p className="line-clamp-3 whitespace-pre-wrap break-words text-ink-soft">{run.text ?? run.why}</p>
              )}
            </li>
          ))}
        </ol>
      )}
    </LoadedPages>
  );
}
