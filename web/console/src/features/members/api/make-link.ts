import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";

/** A new one-time sign-in link for a member. */
export function useMakeLink() {
  return useMutation({
    mutationFn: async (id: string) =>
      body(await api.POST("/api/v1/members/{id}/link", { params: { path: { id } } })).url,
    // Nothing keeps it when nobody looks at it any more.
    gcTime: 0,
  });
}
