import { useNames } from "@/shared/api/members";
import type { Key } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Badge } from "@/shared/ui/small";
import { SCOPES } from "./scopes";

export function KeyList({ keys, onRevoke }: { keys: Key[]; onRevoke: (key: Key) => void }) {
  const nameOf = useNames();
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="key-list">
      {keys.map((key) => (
        <li key={key.id} className="flex items-center gap-x-4 px-4 py-3">
          <div className="min-w-0 flex-1 space-y-1">
            <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <span className="min-w-0 break-words font-medium">{key.name}</span>
              <code className="rounded bg-sunken px-1.5 font-mono text-2xs text-ink-soft">{key.hint}…</code>
            </p>
            <p className="flex flex-wrap gap-1">
              {key.scopes.map((scope) => (
                <Badge key={scope} tone={scope === "admin" ? "changed" : "neutral"} title={SCOPES[scope].may}>
                  {SCOPES[scope].title}
                </Badge>
              ))}
              {key.project && <Badge tone="accent">only {key.project}</Badge>}
            </p>
            <p className="text-ink-mute text-xs">
              by {nameOf(key.member)} · <Expiry at={key.expires_at} /> ·{" "}
              {key.last_used_at ? (
                <span title={fullTime(key.last_used_at)}>last used {relativeTime(key.last_used_at)}</span>
              ) : (
                "never used"
              )}
            </p>
          </div>
          <Button size="small" aria-label={`Revoke ${key.name}`} onClick={() => onRevoke(key)}>
            Revoke
          </Button>
        </li>
      ))}
    </ul>
  );
}

function Expiry({ at }: { at: string | null }) {
  if (at === null) return "never expires";
  const isOver = new Date(at).getTime() <= Date.now();
  return (
    <span title={fullTime(at)} className={isOver ? "font-medium text-removed-ink" : undefined}>
      {isOver ? "expired" : "expires"} {relativeTime(at)}
    </span>
  );
}
