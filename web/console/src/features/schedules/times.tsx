import { useQuery } from "@tanstack/react-query";
import { faultsByField } from "@/shared/api/problem";
import { relativeTime } from "@/shared/lib/time";
import { previewQuery } from "./api/schedules";

const FIELDS = ["rule", "zone"] as const;

/** When a rule would run next, on the clock of its zone. */
export function Times({ rule, zone }: { rule: string; zone: string }) {
  const preview = useQuery(previewQuery(rule, zone));
  if (rule.trim() === "")
    return <p className="text-ink-mute text-sm">Write when it runs, and its next times stand here.</p>;
  if (preview.isError) {
    const { at, rest } = faultsByField(preview.error, FIELDS);
    return <p className="text-removed-ink text-sm">{[...Object.values(at), ...rest].join(" ")}</p>;
  }
  if (!preview.data) return <p className="text-ink-mute text-sm">Working it out…</p>;
  const { times, plain_rule: plain } = preview.data;
  if (times.length === 0) return <p className="text-changed-ink text-sm">It has no more times.</p>;
  return (
    <div className="space-y-1 text-sm">
      <ol data-testid="times">
        {times.map(({ at, local }) => (
          <li key={at} className="flex flex-wrap justify-between gap-x-4">
            <span className="tabular-nums">{localText(local)}</span>
            <span className="text-ink-mute">{relativeTime(at)}</span>
          </li>
        ))}
      </ol>
      {plain !== rule.trim() && <p className="whitespace-pre-wrap font-mono text-ink-mute text-xs">{plain}</p>}
    </div>
  );
}

/** "2026-12-01T09:00:00+01:00" as people of that place read it: "Tue 1 Dec 2026, 09:00". */
export function localText(local: string): string {
  const [, day = "", clock = ""] = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/.exec(local) ?? [];
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return local;
  const words = date.toLocaleDateString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${words}, ${clock}`;
}
