import { useState } from "react";
import { ROLES } from "@/shared/api/roles";
import type { Session } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { ConfirmDialog } from "@/shared/ui/confirm-dialog";
import { SectionHeader } from "@/shared/ui/section";
import { useSignOut } from "./api/sign-out";
import { PasswordForm } from "./password-form";

/** One's own account: who one is, the password, the sessions. */
export function Account({ session }: { session: Session }) {
  const { member, organization } = session;
  const facts = [
    ["Name", member.name],
    ["Handle", `@${member.handle}`],
    ["E-mail", member.email ?? "none"],
    ["Role", `${ROLES[member.role].title} of ${organization.name}`],
    ["Time zone", member.time_zone],
  ];
  return (
    <div className="space-y-10">
      <section aria-labelledby="you">
        <SectionHeader id="you" title="You" lead="As the others see you." />
        <dl className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="account">
          {facts.map(([name, value]) => (
            <div key={name} className="grid grid-cols-[7rem_minmax(0,1fr)] gap-3 px-4 py-2.5 text-sm">
              <dt className="text-ink-mute">{name}</dt>
              <dd className="break-words">{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-labelledby="password">
        <SectionHeader id="password" title="Password" lead="You need the present one to choose a new one." />
        <PasswordForm email={member.email ?? ""} />
      </section>
      <Sessions />
    </div>
  );
}

function Sessions() {
  const [isAsking, setAsking] = useState(false);
  const signOut = useSignOut();
  return (
    <section aria-labelledby="sessions">
      <SectionHeader
        id="sessions"
        title="Sessions"
        lead="Lost a device, or signed in somewhere else? This ends every session, this one too."
        action={<Button onClick={() => setAsking(true)}>Sign out everywhere</Button>}
      />
      <ConfirmDialog
        open={isAsking}
        title="Sign out everywhere?"
        description="Every browser where you are signed in asks for the password again, this one too. Keys keep working."
        verb="Sign out everywhere"
        onConfirm={() => signOut.mutate(true)}
        busy={signOut.isPending}
        error={signOut.error}
        onClose={() => {
          setAsking(false);
          signOut.reset();
        }}
        testId="sign-out-everywhere"
      />
    </section>
  );
}
