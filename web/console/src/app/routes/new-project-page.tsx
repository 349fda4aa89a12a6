import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { toast } from "sonner";
import { Conversation } from "@/features/conversation/conversation";
import { proposalsQuery } from "@/features/review/api/proposals";
import type { Proposal } from "@/shared/api/types";
import { useHotkeys } from "@/shared/lib/hotkeys";
import { useTitle } from "@/shared/lib/use-title";
import { useInFlight } from "@/shared/live/live-context";
import { EmptyState } from "@/shared/ui/states";
import { TwoColumns } from "../two-columns";
import { useSession } from "../use-session";
import { Workspace } from "../workspace";

/** A project that is yet to be made: its first proposal, and the talk about it. */
export function NewProjectPage() {
  useTitle("New project");
  const session = useSession();
  const navigate = useNavigate();
  const open = useQuery(proposalsQuery("open"));
  const proposal = open.data?.find(({ project }) => project === null);
  const writing = useInFlight().at(-1);
  const input = useRef<HTMLTextAreaElement>(null);
  useHotkeys({ "/": () => input.current?.focus() });

  const accepted = (decided: Proposal) => {
    if (!decided.project) return;
    toast.success(`${decided.project} is at version ${decided.applied_as}`);
    void navigate({ to: "/p/$key", params: { key: decided.project } });
  };
  return (
    <TwoColumns
      header={
        <header className="flex min-h-14 shrink-0 items-center border-line border-b px-4">
          <h1 className="font-semibold text-lg">New project</h1>
        </header>
      }
      plan={
        <Workspace
          tasks={[]}
          proposal={proposal}
          writing={writing}
          onOpen={() => {}}
          onAccepted={accepted}
          empty={
            <EmptyState title="The plan will stand here">
              Say what you want to achieve, or paste a list. It comes as a proposal; nothing is made before you accept
              it.
            </EmptyState>
          }
        />
      }
      sideLabel="Conversation"
      side={
        <Conversation
          author={session.member.name}
          proposal={proposal?.number}
          refines={proposal?.number}
          placeholder={proposal ? "Change it by talking…" : "What do you want to achieve?"}
          suggestions={proposal && !writing ? ["combine the first two", "add documentation at the end"] : []}
          inputRef={input}
          empty={
            <EmptyState title="What do you want to achieve?">
              "Build a new sign-in flow. We need the schema, the form, and tests." A list works as well.
            </EmptyState>
          }
        />
      }
    />
  );
}
