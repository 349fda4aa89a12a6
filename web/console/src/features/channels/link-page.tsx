import { Link } from "@tanstack/react-router";
import { messageOf } from "@/shared/api/problem";
import type { Session } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { FormFaults } from "@/shared/ui/field";
import { useSayCode } from "./api/channels";

const TITLES = { slack: "Slack", discord: "Discord", email: "e-mail" };

/** Where the link of a channel leads: only the button pairs anybody. */
export function LinkPage({ code, session }: { code: string; session: Session }) {
  const say = useSayCode();
  return (
    <div className="mx-auto max-w-md px-4 py-16 sm:px-8">
      {say.data ? (
        <div role="status" data-testid="linked">
          <h1 className="font-semibold text-2xl tracking-tight">You are linked</h1>
          <p className="mt-1.5 text-ink-soft">
            {say.data.name} on {TITLES[say.data.channel]} is you from now on. Go back there and say what you want.
          </p>
          <Button asChild className="mt-6">
            <Link to="/settings/channels">See where you are linked</Link>
          </Button>
        </div>
      ) : (
        <>
          <h1 className="font-semibold text-2xl tracking-tight">Is this you?</h1>
          <p className="mt-1.5 text-ink-soft">
            Somebody asked Patchbay for the code <code className="font-mono text-ink">{code || "…"}</code> a moment ago.
            Only if that was you: what they write from there will be in your name,{" "}
            <b className="font-medium text-ink">{session.member.name}</b>.
          </p>
          <div className="mt-6 space-y-4">
            <FormFaults faults={say.error ? [messageOf(say.error)] : []} />
            <div className="flex gap-2">
              <Button look="primary" disabled={code === ""} busy={say.isPending} onClick={() => say.mutate(code)}>
                Yes, it was me
              </Button>
              <Button look="quiet" asChild>
                <Link to="/">No</Link>
              </Button>
            </div>
          </div>
        </>
      )}
    </div>
  );
}
