import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

export function useReleaseMail() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) =>
      body(await api.POST("/api/v1/channels/email/quarantine/{id}/release", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.heldMails }),
  });
}
