import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Command } from "@/shared/api/types";
import { useInFlight } from "@/shared/live/live-context";
import type { InFlight } from "@/shared/live/outbox";
import { commandsQuery } from "./api/commands";

/** The conversation as it is shown: what the server has, then ours that are under way; no message twice. */
export function useConversation(project?: string, task?: string) {
  const query = useInfiniteQuery(commandsQuery(project, task));
  const inFlight = useInFlight(project, task);
  const merged = useMemo(
    () => mergeConversation((query.data?.pages.flatMap((page) => page.data) ?? []) as Command[], inFlight),
    [query.data, inFlight],
  );
  return { query, ...merged };
}

export function mergeConversation(
  stored: Command[],
  inFlight: InFlight[],
): { commands: Command[]; underWay: InFlight[] } {
  const finished = new Set(stored.filter((command) => command.finished_at).map((command) => command.id));
  const underWay = inFlight.filter((item) => !item.command || !finished.has(item.command));
  const ours = new Set(underWay.map((item) => item.command));
  const commands = new Map<string, Command>();
  for (const command of stored) if (!ours.has(command.id)) commands.set(command.id, command);
  return { commands: [...commands.values()].sort((a, b) => a.created_at.localeCompare(b.created_at)), underWay };
}
