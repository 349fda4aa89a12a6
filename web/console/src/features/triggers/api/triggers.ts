import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import { type Tagged, tagged } from "@/shared/api/tagged";
import type { NewTrigger, Trigger, TryTrigger } from "@/shared/api/types";
import { useChange } from "@/shared/api/use-change";

export const triggersQuery = queryOptions({
  queryKey: keys.triggerList,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/triggers", { signal })).data,
});

export async function readTrigger(id: string): Promise<Tagged<Trigger>> {
  return tagged(await api.GET("/api/v1/triggers/{id}", { params: { path: { id } } }));
}

/** All that it has been, newest first. */
export const versionsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.triggerVersions(id),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/triggers/{id}/versions", { signal, params: { path: { id } } })).data,
  });

export const runsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.triggerRuns(id),
    queryFn: async ({ signal, pageParam }) =>
      body(
        await api.GET("/api/v1/triggers/{id}/runs", {
          signal,
          params: { path: { id }, query: { limit: 20, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
    // What follows from an event follows in the background.
    refetchInterval: 5_000,
  });

async function put({ id, etag }: Tagged<{ id: string }>, wanted: NewTrigger) {
  return body(
    await api.PUT("/api/v1/triggers/{id}", { params: { path: { id }, header: { "If-Match": etag } }, body: wanted }),
  );
}

/** Adds a trigger, or gives the one that has been read its next version. */
export const useSaveTrigger = (known: Tagged<Trigger> | null) =>
  useChange(keys.triggers, async (wanted: NewTrigger) =>
    known ? put(known, wanted) : body(await api.POST("/api/v1/triggers", { body: wanted })),
  );

/** On or off, and otherwise as it is now. */
export const useSwitchTrigger = () =>
  useChange(keys.triggers, async ({ id, enabled }: { id: string; enabled: boolean }) => {
    const known = await readTrigger(id);
    return put(known, { ...settingsOf(known), enabled });
  });

export const useRemoveTrigger = () =>
  useChange(keys.triggers, async (id: string) => {
    await api.DELETE("/api/v1/triggers/{id}", { params: { path: { id } } });
  });

/** What it would have made of the newest events; nothing is done. */
export const useTryTrigger = () =>
  useMutation({
    mutationFn: async (tried: TryTrigger) => body(await api.POST("/api/v1/triggers/try", { body: tried })).data,
  });

/** What of a trigger is set by people. */
export function settingsOf(trigger: Trigger): NewTrigger {
  const { name, event, condition, makes, template, project, member, max_depth, max_per_hour, enabled } = trigger;
  return { name, event, condition, makes, template, project, member, max_depth, max_per_hour, enabled };
}
