import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CalendarClock, Ellipsis, Plus } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Tagged } from "@/shared/api/tagged";
import type { Project, Schedule } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button, IconButton } from "@/shared/ui/button";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { Line, Lines } from "@/shared/ui/line";
import { Loaded, LoadedPages } from "@/shared/ui/loaded";
import { Menu, MenuItem } from "@/shared/ui/menu";
import { SectionHeader } from "@/shared/ui/section";
import { Badge } from "@/shared/ui/small";
import { EmptyState } from "@/shared/ui/states";
import { readSchedule, runsQuery, schedulesQuery, useDropSchedule, useSwitchSchedule } from "./api/schedules";
import { ScheduleDialog } from "./schedule-dialog";
import { Times } from "./times";
import { actionText, MISSED, OVERLAP, RUN_TONES } from "./words";

interface SchedulesProps {
  me: { handle: string; time_zone: string; isAdmin: boolean; canPropose: boolean };
  projects: Project[];
}

/** What runs by itself, and when next. */
export function Schedules({ me, projects }: SchedulesProps) {
  const schedules = useInfiniteQuery(schedulesQuery);
  const [open, setOpen] = useState<Tagged<Schedule> | "new" | null>(null);
  const change = (id: string) => {
    readSchedule(id).then(setOpen, (error) => toast.error(messageOf(error)));
  };
  return (
    <section aria-labelledby="schedules">
      <SectionHeader
        id="schedules"
        title="Schedules"
        lead="Commands, messages to the planner and jobs, at times to come."
        action={
          me.canPropose && (
            <Button look="primary" icon={<Plus className="size-4" aria-hidden="true" />} onClick={() => setOpen("new")}>
              New schedule
            </Button>
          )
        }
      />
      <LoadedPages
        query={schedules}
        what="the schedules"
        empty={
          <EmptyState
            framed
            icon={<CalendarClock className="size-6" aria-hidden="true" />}
            title="Nothing runs by itself yet"
          >
            “Every weekday at nine, list what is overdue”: say when, and what is to be done.
          </EmptyState>
        }
      >
        {(all) => (
          <Lines testId="schedule-list">
            {all.map((schedule) => (
              <ScheduleLine
                key={schedule.id}
                schedule={schedule}
                canChange={me.canPropose && (me.isAdmin || me.handle === schedule.owner)}
                onChange={() => change(schedule.id)}
              />
            ))}
          </Lines>
        )}
      </LoadedPages>
      {open && (
        <ScheduleDialog
          schedule={open === "new" ? null : open}
          projects={projects}
          timeZone={me.time_zone}
          isAdmin={me.isAdmin}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  );
}

interface ScheduleLineProps {
  schedule: Schedule;
  canChange: boolean;
  onChange: () => void;
}

function ScheduleLine({ schedule, canChange, onChange }: ScheduleLineProps) {
  const nameOf = useNames();
  const [isDropping, setDropping] = useState(false);
  const flip = useSwitchSchedule();
  const drop = useDropSchedule();
  const { state, next_run_at: next } = schedule;
  return (
    <Line
      testId="schedule-line"
      title={
        <>
          {schedule.name}
          {state === "paused" && <Badge tone="changed">paused</Badge>}
          {state === "over" && <Badge>over</Badge>}
        </>
      }
      facts={
        <>
          {next && (
            <span className="text-ink-soft" title={fullTime(next)}>
              next {relativeTime(next)} ·{" "}
            </span>
          )}
          {schedule.rule.split("\n").at(-1)} · {actionText(schedule)}
          {schedule.problem && <span className="text-removed-ink"> · {schedule.problem}</span>}
        </>
      }
      actions={
        canChange && (
          <>
            {state !== "over" && (
              <Button
                size="small"
                aria-label={`${state === "active" ? "Pause" : "Resume"} ${schedule.name}`}
                busy={flip.isPending}
                onClick={() =>
                  flip.mutate(
                    { id: schedule.id, on: state !== "active" },
                    { onError: (error) => toast.error(messageOf(error)) },
                  )
                }
              >
                {state === "active" ? "Pause" : "Resume"}
              </Button>
            )}
            <Menu
              label={`More of ${schedule.name}`}
              align="end"
              trigger={
                <IconButton label={`More of ${schedule.name}`}>
                  <Ellipsis className="size-4" aria-hidden="true" />
                </IconButton>
              }
            >
              <MenuItem onSelect={onChange}>Change</MenuItem>
              <MenuItem dangerous onSelect={() => setDropping(true)}>
                Drop
              </MenuItem>
            </Menu>
            <ConfirmDialog
              open={isDropping}
              title={`Drop ${schedule.name}?`}
              description="It does not run again, and its run log goes with it. What runs of it now runs on."
              verb="Drop"
              onConfirm={() => drop.mutate(schedule.id, { onSuccess: () => setDropping(false) })}
              busy={drop.isPending}
              error={drop.error}
              onClose={() => {
                setDropping(false);
                drop.reset();
              }}
              testId="drop-schedule"
            />
          </>
        )
      }
    >
      {() => (
        <div className="grid gap-6 sm:grid-cols-2">
          <div className="space-y-3">
            {state === "active" && (
              <div>
                <h3 className="mb-1 font-medium text-ink-soft text-xs">Next times, {schedule.zone}</h3>
                <Times rule={schedule.plain_rule} zone={schedule.zone} />
              </div>
            )}
            <p className="text-ink-mute text-xs">
              It runs as {nameOf(schedule.owner)}. Times that were missed {MISSED[schedule.missed]}; while the run
              before is not over, the next {OVERLAP[schedule.overlap]}.
            </p>
          </div>
          <div>
            <h3 className="mb-1 font-medium text-ink-soft text-xs">What became of its times</h3>
            <Runs schedule={schedule.id} />
          </div>
        </div>
      )}
    </Line>
  );
}

function Runs({ schedule }: { schedule: string }) {
  const runs = useQuery(runsQuery(schedule));
  return (
    <Loaded query={runs} what="the run log">
      {(all) =>
        all.length === 0 ? (
          <p className="text-ink-mute text-sm">It has not run yet.</p>
        ) : (
          <ol className="space-y-1 text-sm" data-testid="schedule-runs">
            {all.map((run) => (
              <li key={run.id} className="flex flex-wrap items-center gap-x-2">
                <time dateTime={run.due_at} className="tabular-nums">
                  {fullTime(run.due_at)}
                </time>
                <Badge tone={RUN_TONES[run.state]}>{run.state}</Badge>
                {run.job && (
                  <Link
                    to="/studio/jobs/$id"
                    params={{ id: run.job }}
                    className="text-accent-ink text-xs underline underline-offset-2"
                  >
                    its job
                  </Link>
                )}
                {run.why && <span className="w-full text-ink-mute text-xs">{run.why}</span>}
              </li>
            ))}
          </ol>
        )
      }
    </Loaded>
  );
}
