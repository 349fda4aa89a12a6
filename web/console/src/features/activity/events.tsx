import { useInfiniteQuery } from "@tanstack/react-query";
import { Activity, FileText, Pause, Play } from "lucide-react";
import { useState } from "react";
import type { Project } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { Button } from "@/shared/ui/button";
import { FilterSelect, Filters, FilterText, MemberFilter } from "@/shared/ui/filters";
import { Lines } from "@/shared/ui/line";
import { LoadedPages } from "@/shared/ui/loaded";
import { projectOptions } from "@/shared/ui/project-field";
import { EmptyState } from "@/shared/ui/states";
import { type EventFilter, eventsQuery } from "./api/events";
import { EventLine } from "./event-line";
import { LogDialog } from "./log-dialog";
import { type TailStatus, useTail } from "./use-tail";

interface EventsProps {
  projects: Project[];
  filter: EventFilter;
  onFilter: (filter: EventFilter) => void;
}

const SUBJECTS = [
  "agent",
  "command",
  "document",
  "job",
  "lease",
  "project",
  "proposal",
  "task",
  "variant",
  "webhook",
] as const;

/** Everything that happens, as it happens. */
export function Events({ projects, filter, onFilter }: EventsProps) {
  const old = useInfiniteQuery(eventsQuery(filter));
  const since = old.data ? (old.data.pages[0]?.data[0]?.seq ?? 0) : undefined;
  const { events, status } = useTail(filter, since);
  /** Where somebody reads in peace: what comes after this seq waits. */
  const [stoppedAt, setStoppedAt] = useState<number | null>(null);
  const [isLogOpen, setLogOpen] = useState(false);
  const shown = stoppedAt === null ? events : events.filter(({ seq }) => seq <= stoppedAt);
  const waiting = events.length - shown.length;
  return (
    <>
      <Filters>
        <FilterText
          label="Kind"
          value={filter.event}
          placeholder="lease.expired, task"
          suggestions={SUBJECTS}
          onChange={(event) => onFilter({ ...filter, event })}
        />
        <MemberFilter label="By" value={filter.actor} onChange={(actor) => onFilter({ ...filter, actor })} />
        <FilterSelect
          label="Project"
          all="All projects"
          value={filter.project}
          options={projectOptions(projects)}
          onChange={(project) => onFilter({ ...filter, project })}
        />
        <FilterText
          label="Task"
          value={filter.task}
          placeholder="WEB-7"
          onChange={(task) => onFilter({ ...filter, task })}
        />
      </Filters>
      <div className="mb-3 flex min-h-8 flex-wrap items-center gap-2">
        <Status status={status} isStopped={stoppedAt !== null} />
        <span className="flex-1" />
        <Button
          size="small"
          look="quiet"
          aria-pressed={stoppedAt !== null}
          icon={
            stoppedAt === null ? (
              <Pause className="size-3.5" aria-hidden="true" />
            ) : (
              <Play className="size-3.5" aria-hidden="true" />
            )
          }
          onClick={() => setStoppedAt(stoppedAt === null ? (events[0]?.seq ?? since ?? 0) : null)}
        >
          {stoppedAt === null ? "Pause" : waiting > 0 ? `Go on: ${waiting} more` : "Go on"}
        </Button>
        <Button
          size="small"
          icon={<FileText className="size-3.5" aria-hidden="true" />}
          onClick={() => setLogOpen(true)}
        >
          As a log
        </Button>
      </div>
      {shown.length > 0 && (
        <div className="mb-3">
          <Lines testId="live-events" label="What has happened since">
            {shown.map((event) => (
              <EventLine key={event.seq} event={event} />
            ))}
          </Lines>
        </div>
      )}
      <LoadedPages
        query={old}
        what="the events"
        empty={
          shown.length === 0 && (
            <EmptyState
              framed
              icon={<Activity className="size-6" aria-hidden="true" />}
              title={
                Object.values(filter).some(Boolean) ? "Nothing like that has happened" : "Nothing has happened yet"
              }
            >
              What people and agents do is told here as they do it.
            </EmptyState>
          )
        }
      >
        {(all) => (
          <Lines testId="events" label="What happened before">
            {all.map((event) => (
              <EventLine key={event.seq} event={event} />
            ))}
          </Lines>
        )}
      </LoadedPages>
      {isLogOpen && <LogDialog filter={filter} onClose={() => setLogOpen(false)} />}
    </>
  );
}

function Status({ status, isStopped }: { status: TailStatus; isStopped: boolean }) {
  const isLive = status === "live" && !isStopped;
  const text = isStopped ? "Paused" : { live: "Live", connecting: "Connecting…", broken: "Connecting again…" }[status];
  return (
    <p role="status" className="flex items-center gap-2 text-ink-soft text-xs" data-testid="tail">
      <span
        aria-hidden="true"
        className={cx("size-2 rounded-full", isLive ? "animate-breathe bg-added-line" : "bg-changed-line")}
      />
      {text}
    </p>
  );
}
