import type { Job, JobState } from "@/shared/api/types";
import { titleOf } from "@/shared/lib/json-schema";
import { clockTime, fullTime } from "@/shared/lib/time";
import { Badge } from "@/shared/ui/small";

const STATES: Record<JobState, { title: string; tone: "neutral" | "accent" | "added" | "changed" | "removed" }> = {
  scheduled: { title: "scheduled", tone: "neutral" },
  queued: { title: "queued", tone: "neutral" },
  running: { title: "running", tone: "accent" },
  done: { title: "done", tone: "added" },
  dead: { title: "given up", tone: "removed" },
  cancelled: { title: "cancelled", tone: "changed" },
};

/** What a choice of jobs is called, and what is said where there are none. */
export const FILTERS: { value: JobState | undefined; title: string; none: string }[] = [
  { value: undefined, title: "All", none: "Nothing has been done in the background yet" },
  { value: "running", title: "Running", none: "Nothing is running" },
  { value: "queued", title: "Queued", none: "Nothing waits" },
  { value: "scheduled", title: "Scheduled", none: "Nothing waits for its time" },
  { value: "dead", title: "Given up", none: "Nothing was given up" },
  { value: "done", title: "Done", none: "Nothing is done yet" },
];

const TITLES: Record<string, string> = {
  inbox: "Message that came in",
  deliver: "Message to a channel",
  "webhook-in": "Delivery of a webhook",
  "webhook-out": "Message to an endpoint",
  trigger: "Run of a trigger",
};

export const kindTitle = (kind: string) => TITLES[kind] ?? titleOf(kind);

/** What a job of a tool is about, in its own words. */
export function subjectOf(job: Job): string {
  const given = (job.payload ?? {}) as Record<string, unknown>;
  const words = [given.title, given.prompt, given.url].find((value) => typeof value === "string" && value !== "");
  if (typeof words === "string") return words.split("\n")[0] ?? "";
  return typeof given.project === "string" ? `${kindTitle(job.kind)} of ${given.project}` : kindTitle(job.kind);
}

export function JobBadges({ job }: { job: Job }) {
  const { title, tone } = STATES[job.state];
  return (
    <>
      <Badge tone={tone}>{title}</Badge>
      {job.is_late && <Badge tone="removed">late</Badge>}
    </>
  );
}

interface Said {
  at: string;
  attempt: number;
  text: string;
}

/** What the attempts of a job said. */
export function JobLog({ log }: { log: unknown }) {
  const lines = Array.isArray(log) ? (log as Said[]) : [];
  if (lines.length === 0) return <p className="text-ink-mute text-xs">It has said nothing yet.</p>;
  return (
    <ol className="space-y-0.5 text-xs" data-testid="job-log">
      {lines.map((line, index) => (
        <li key={index} className="flex gap-3">
          <time className="shrink-0 text-ink-mute tabular-nums" dateTime={line.at} title={fullTime(line.at)}>
            {clockTime(line.at)}
          </time>
          <span className="shrink-0 text-ink-mute">try {line.attempt}</span>
          <span className="min-w-0 break-words">{line.text}</span>
        </li>
      ))}
    </ol>
  );
}

/** How far a job is that says so. */
export function JobProgress({ job }: { job: Job }) {
  const { done, of } = (job.progress ?? {}) as { done?: number; of?: number };
  if (job.state !== "running" || typeof done !== "number" || !of) return null;
  return (
    <div className="flex items-center gap-2 text-ink-mute text-xs">
      <progress
        aria-label="Progress"
        className="h-1.5 w-32 overflow-hidden rounded-full bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-accent"
        value={done}
        max={of}
      />
      {done} of {of}
    </div>
  );
}
