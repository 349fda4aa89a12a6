import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** Proposes to take a revision back, keeping what came after it. */
export function useRevert(project: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (revision: number) =>
      body(await api.POST("/api/v1/projects/{project}/revert", { params: { path: { project } }, body: { revision } })),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.proposals }),
  });
}
