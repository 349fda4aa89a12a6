import { useQuery } from "@tanstack/react-query";
import { useNames } from "@/shared/api/members";
import type { Trigger } from "@/shared/api/types";
import { fullTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { Line, Lines } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { Badge } from "@/shared/ui/small";
import { versionsQuery } from "./api/triggers";

interface VersionsDialogProps {
  trigger: Trigger;
  /** Opens the trigger with what it was then. */
  onBackTo: (version: Trigger) => void;
  onClose: () => void;
}

/** What a trigger has been, and a way back there. */
export function VersionsDialog({ trigger, onBackTo, onClose }: VersionsDialogProps) {
  const nameOf = useNames();
  const versions = useQuery(versionsQuery(trigger.id));
  return (
    <Dialog open onClose={onClose} title={`Versions of ${trigger.name}`} size="large" testId="trigger-versions">
      <Loaded query={versions} what="the versions">
        {(all) => (
          <Lines>
            {all.map((version) => (
              <Line
                key={version.version}
                title={
                  <>
                    Version {version.version}
                    {!version.enabled && <Badge tone="changed">off</Badge>}
                  </>
                }
                facts={`${nameOf(version.author)} · ${fullTime(version.updated_at)}`}
                actions={
                  version.version !== trigger.version && (
                    <Button
                      size="small"
                      aria-label={`Go back to it: version ${version.version}`}
                      onClick={() => onBackTo(version)}
                    >
                      Go back to it
                    </Button>
                  )
                }
              >
                {() => (
                  <dl className="grid gap-x-4 gap-y-1 text-xs sm:grid-cols-[6rem_1fr]">
                    {FACTS.map(({ title, of }) => (
                      <div key={title} className="contents">
                        <dt className="text-ink-mute">{title}</dt>
                        <dd className="whitespace-pre-wrap break-words font-mono">{of(version)}</dd>
                      </div>
                    ))}
                  </dl>
                )}
              </Line>
            ))}
          </Lines>
        )}
      </Loaded>
    </Dialog>
  );
}

const FACTS: { title: string; of: (trigger: Trigger) => string }[] = [
  { title: "When", of: ({ event }) => event },
  { title: "And", of: ({ condition }) => condition ?? "always" },
  { title: "Then", of: ({ makes }) => (makes === "plan" ? "a message to the planner" : "commands") },
  { title: "Template", of: ({ template }) => template },
  { title: "In", of: ({ project }) => project ?? "no project" },
  { title: "As", of: ({ member }) => `@${member}` },
  { title: "At most", of: ({ max_per_hour: hourly, max_depth: depth }) => `${hourly} an hour, ${depth} in a row` },
];
