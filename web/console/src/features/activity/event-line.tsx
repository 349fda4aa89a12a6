import { Link } from "@tanstack/react-router";
import { useNames } from "@/shared/api/members";
import type { EventEntry } from "@/shared/api/types";
import { fullTime, momentText } from "@/shared/lib/time";
import { Line } from "@/shared/ui/line";
import { Json } from "@/shared/ui/small";

/** One event; opened, with all that it tells. */
export function EventLine({ event }: { event: EventEntry }) {
  const nameOf = useNames();
  return (
    <Line
      testId="event"
      title={
        <>
          {nameOf(event.actor)} <span className="font-normal text-ink-soft">{words(event.event)}</span>
          <span>{targetText(event)}</span>
        </>
      }
      facts={
        <time dateTime={event.ts} title={fullTime(event.ts)} className="tabular-nums">
          {momentText(event.ts)}
        </time>
      }
      actions={<Where event={event} />}
    >
      {() => (
        <>
          <p className="font-mono text-ink-mute text-xs">
            {event.event} · {event.seq}
          </p>
          <Json value={event.details} />
        </>
      )}
    </Line>
  );
}

/** `lease.acquired` as people say it. */
const words = (event: string) => event.replaceAll(/[._]/g, " ");

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What it happened to, as people call it: an id says nothing to them. */
function targetText({ event, actor, target, details }: EventEntry): string {
  const { task, project, number } = (details ?? {}) as Record<string, unknown>;
  // Where a link says it, it is not said twice.
  const linked = event === "project.deleted" ? undefined : (task ?? project);
  if ([actor, linked, `#${number}`].includes(target)) return "";
  if (!ID.test(target)) return target;
  const { title, name, kind, schedule } = (details ?? {}) as Record<string, unknown>;
  const called = [title, name, kind].find((word) => typeof word === "string");
  return typeof called === "string" ? called : typeof schedule === "number" ? `${schedule}` : "";
}

/** Where that is what it happened to. */
function Where({ event }: { event: EventEntry }) {
  const details = (event.details ?? {}) as { task?: unknown; project?: unknown; number?: unknown; document?: unknown };
  const [subject] = event.event.split(".");
  if (subject === "proposal" && typeof details.number === "number") {
    return (
      <Link to="/proposals/$number" params={{ number: String(details.number) }} className={LINK}>
        #{details.number}
      </Link>
    );
  }
  const document = subject === "document" ? event.target : details.document;
  if (typeof document === "string") {
    return (
      <Link to="/studio/documents/$id" params={{ id: document }} className={LINK}>
        Document
      </Link>
    );
  }
  if (subject === "job" && ID.test(event.target)) {
    return (
      <Link to="/studio/jobs/$id" params={{ id: event.target }} className={LINK}>
        Job
      </Link>
    );
  }
  if (event.event === "project.deleted" || typeof details.project !== "string") return null;
  const task = typeof details.task === "string" ? details.task : undefined;
  return (
    <Link to="/p/$key" params={{ key: details.project }} search={task ? { task } : {}} className={LINK}>
      {task ?? details.project}
    </Link>
  );
}

const LINK = "text-accent-ink text-xs underline underline-offset-2";
