import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Role } from "@/shared/api/roles";

export function useChangeRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, role }: { id: string; role: Role }) =>
      body(await api.PATCH("/api/v1/members/{id}", { params: { path: { id } }, body: { role } })),
    // It may have been one's own role, which the session has too.
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.members }),
        client.invalidateQueries({ queryKey: keys.session }),
      ]),
  });
}
