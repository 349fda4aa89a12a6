import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { NewMember } from "@/shared/api/types";

/** The answer has the one-time sign-in link, where the member has an address. */
export function useAddMember() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: NewMember) => body(await api.POST("/api/v1/members", { body: input })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.members }),
    // Nothing keeps the link when nobody looks at it any more.
    gcTime: 0,
  });
}
