import { useNames } from "@/shared/api/members";
import type { HeldMail } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";

export function HeldMailList({ mails, onRelease }: { mails: HeldMail[]; onRelease: (mail: HeldMail) => void }) {
  const nameOf = useNames();
  return (
    <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="held-mails">
      {mails.map((mail) => (
        <li key={mail.id} className="flex items-start gap-x-4 px-4 py-3">
          <div className="min-w-0 flex-1 space-y-1">
            <p className="break-words font-medium">{mail.subject || "No subject"}</p>
            <p className="break-words text-ink-soft text-sm">
              {mail.sender || "Nobody"} · {mail.why}
            </p>
            {mail.preview && <p className="line-clamp-2 break-words text-ink-mute text-xs">{mail.preview}</p>}
            <p className="text-ink-mute text-xs">
              <span title={fullTime(mail.received_at)}>{relativeTime(mail.received_at)}</span>
              {mail.released_by && ` · let in by ${nameOf(mail.released_by)}`}
            </p>
          </div>
          {mail.can_be_released && !mail.released_by && (
            <Button size="small" aria-label={`Let in the mail of ${mail.sender}`} onClick={() => onRelease(mail)}>
              Let in
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
