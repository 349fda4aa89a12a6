import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** A conversation, newest page first; a task's, else a project's, else the organisation's own. */
export const commandsQuery = (project?: string, task?: string) =>
  infiniteQueryOptions({
    queryKey: keys.commands(project, task),
    queryFn: async ({ pageParam, signal }) =>
      body(
        await api.GET("/api/v1/commands", {
          params: { query: { project, task, limit: 50, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
  });
