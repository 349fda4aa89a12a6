import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { ChannelName, Malformed } from "@/shared/api/types";

const CHANNELS: ChannelName[] = ["slack", "discord", "email"];

/** What could not be read on any channel, what came last first. Only for admins: others get a 403 problem. */
export const malformedQuery = queryOptions({
  queryKey: keys.malformed,
  queryFn: async ({ signal }) => {
    const of = async (channel: ChannelName) =>
      body(await api.GET("/api/v1/channels/{channel}/malformed", { params: { path: { channel } }, signal })).data;
    const all = (await Promise.all(CHANNELS.map(of))).flat();
    return all.sort((a, b) => b.last_at.localeCompare(a.last_at));
  },
});

export function useDiscard() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ channel, id }: Malformed) => {
      await api.DELETE("/api/v1/channels/{channel}/malformed/{id}", { params: { path: { channel, id } } });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.malformed }),
  });
}
