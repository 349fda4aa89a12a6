import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, body } from "./client";
import { keys } from "./keys";

export const membersQuery = queryOptions({
  queryKey: keys.members,
  queryFn: async ({ signal }) => body(await api.GET("/api/v1/members", { signal })).data,
  staleTime: 60_000,
});

/** What people are called, by their handles; a handle that is nobody's any more stays as it is. */
export function useNames(): (handle: string) => string {
  const members = useQuery(membersQuery);
  return (handle) => members.data?.find((member) => member.handle === handle)?.name ?? handle;
}
