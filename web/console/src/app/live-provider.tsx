import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { sessionQuery } from "@/features/session/api/session";
import { keys } from "@/shared/api/keys";
import { isStatus } from "@/shared/api/problem";
import type { LiveEvent } from "@/shared/live/frames";
import { Live } from "@/shared/live/live";
import { LiveContext } from "@/shared/live/live-context";

/** One live connection for the whole console; what arrives makes stale what it names. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [live] = useState(() => makeLive(client));
  useEffect(() => {
    live.start();
    return live.stop;
  }, [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

function makeLive(client: QueryClient): Live {
  const stale = (...names: (readonly unknown[])[]) => {
    for (const queryKey of names) void client.invalidateQueries({ queryKey });
  };
  return new Live({
    onReply: (command) => {
      stale(["commands"]);
      if (command.proposal !== null) stale(keys.proposals, keys.projects);
      if (command.revision !== null && command.project)
        stale(keys.tree(command.project), keys.revisions(command.project), keys.projects, ["task"]);
    },
    onProposal: (proposal) => {
      client.setQueryData(keys.proposal(proposal.number), proposal);
      stale(keys.proposals);
    },
    onEvent: (event) => stale(...named(event)),
    // What was read before the connection stood may have missed an event.
    onFirstOpen: () => stale(keys.projects, keys.proposals, ["tree"], ["commands"]),
    onTrouble: () => {
      client.fetchQuery({ ...sessionQuery, staleTime: 0 }).catch((error) => {
        if (isStatus(error, 401)) window.location.assign("/sign-in");
      });
    },
  });
}

/** The cache keys of what an event is about. */
function named(event: LiveEvent): (readonly unknown[])[] {
  const project = typeof event.details.project === "string" ? event.details.project : null;
  const [subject] = event.event.split(".");
  if (subject === "lease" || subject === "agent") return [keys.collab];
  if (subject === "job" || subject === "variant") return [keys.allJobs];
  if (subject === "schedule") return [keys.schedules];
  if (subject === "document") return [keys.documents];
  if (subject === "project") {
    return project
      ? [keys.collab, keys.projects, keys.tree(project), keys.revisions(project), ["task"], keys.proposals]
      : [keys.projects];
  }
  if (subject === "proposal") return [keys.proposals, keys.projects];
  if (subject === "command") return [["commands"]];
  return [];
}
