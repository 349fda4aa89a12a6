import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { NotificationPreferences } from "@/shared/api/types";

/** They are written a moment after the event that they follow from, which no event tells. */
const SOON = 10_000;

/** How many have not been read. */
export const unreadQuery = queryOptions({
  queryKey: keys.unread,
  queryFn: async ({ signal }) =>
    body(await api.GET("/api/v1/notifications", { signal, params: { query: { unread: true, limit: 1 } } })).unread,
  refetchInterval: SOON,
});

/** Newest first, a page at a time. */
export const notificationsQuery = (unread: boolean) =>
  infiniteQueryOptions({
    queryKey: keys.notificationList(unread),
    queryFn: async ({ signal, pageParam }) =>
      body(
        await api.GET("/api/v1/notifications", { signal, params: { query: { unread, limit: 50, cursor: pageParam } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
    refetchInterval: SOON,
  });

/** Says what was read: these, or all. */
export function useRead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (ids?: string[]) =>
      body(await api.POST("/api/v1/notifications/read", { body: { ids: ids ?? null } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.notifications }),
  });
}

export const preferencesQuery = queryOptions({
  queryKey: keys.notificationPreferences,
  queryFn: async ({ signal }) =>
    body(await api.GET("/api/v1/members/me/notifications", { signal })) as NotificationPreferences,
});

export function useSetPreferences() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (preferences: NotificationPreferences) =>
      body(await api.PUT("/api/v1/members/me/notifications", { body: preferences })),
    onSuccess: (set) => client.setQueryData(keys.notificationPreferences, set),
  });
}
