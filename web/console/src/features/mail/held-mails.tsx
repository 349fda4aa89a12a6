import { useQuery } from "@tanstack/react-query";
import { MailCheck } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import type { HeldMail } from "@/shared/api/types";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { Loaded } from "@/shared/ui/loaded";
import { SectionHeader } from "@/shared/ui/section";
import { EmptyState } from "@/shared/ui/states";
import { heldMailsQuery } from "./api/held-mails";
import { useReleaseMail } from "./api/release-mail";
import { HeldMailList } from "./held-mail-list";

/** Mails that are not proved to be their sender's. */
export function HeldMails() {
  const mails = useQuery(heldMailsQuery);
  const [releasing, setReleasing] = useState<HeldMail | null>(null);
  const release = useReleaseMail();
  const confirm = () =>
    releasing &&
    release.mutate(releasing.id, {
      onSuccess: () => {
        setReleasing(null);
        toast.success(`The mail of ${releasing.sender} is let in.`);
      },
    });
  return (
    <section aria-labelledby="held-mails">
      <SectionHeader
        id="held-mails"
        title="Held mails"
        lead="What a sender's domain does not vouch for changes nothing and is not answered. After a month it is gone."
      />
      <Loaded query={mails} what="the held mails">
        {(all) =>
          all.length === 0 ? (
            <EmptyState framed icon={<MailCheck className="size-6" aria-hidden="true" />} title="No mail is held back">
              <p>Mails whose sender is not proved appear here, with the reason.</p>
            </EmptyState>
          ) : (
            <HeldMailList mails={all} onRelease={setReleasing} />
          )
        }
      </Loaded>
      <ConfirmDialog
        open={releasing !== null}
        title={`Let in the mail of ${releasing?.sender ?? ""}?`}
        description="Nobody has proved that this address wrote it. What it asks for becomes a proposal at most, for others to review."
        verb="Let in"
        onConfirm={confirm}
        busy={release.isPending}
        error={release.error}
        onClose={() => {
          setReleasing(null);
          release.reset();
        }}
        testId="release-mail"
      />
    </section>
  );
}
