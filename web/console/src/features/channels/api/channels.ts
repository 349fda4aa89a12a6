import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { ChannelName, ChannelSettings } from "@/shared/api/types";

export const channelsQuery = queryOptions({
  queryKey: keys.channels,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/channels", { signal })).data,
  // How much is used changes by itself.
  refetchInterval: 15_000,
});

/** For admins everybody's, for others their own. */
export const identitiesQuery = queryOptions({
  queryKey: keys.identities,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/identities", { signal })).data,
});

export function useSetChannel() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ channel, settings }: { channel: ChannelName; settings: ChannelSettings }) =>
      body(await api.PATCH("/api/v1/channels/{channel}", { params: { path: { channel } }, body: settings })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.channels }),
  });
}

/** A code to say on a channel. */
export function useMakeCode() {
  return useMutation({
    mutationFn: async () => body(await api.POST("/api/v1/identities/codes", {})).code,
    gcTime: 0,
  });
}

/** Says a code that a channel showed. */
export function useSayCode() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (code: string) => body(await api.POST("/api/v1/identities", { body: { code } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.identities }),
  });
}

export function useUnlink() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ channel, id }: { channel: ChannelName; id: string }) => {
      await api.DELETE("/api/v1/identities/{channel}/{id}", { params: { path: { channel, id } } });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.identities }),
  });
}
