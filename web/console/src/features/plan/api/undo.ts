import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** Takes the newest revision back at once. `revision` guards against taking back a newer one than was seen. */
export function useUndo(project: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (revision?: number) =>
      body(await api.POST("/api/v1/projects/{project}/undo", { params: { path: { project } }, body: { revision } })),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.tree(project) }),
        client.invalidateQueries({ queryKey: keys.revisions(project) }),
        client.invalidateQueries({ queryKey: keys.projects }),
        client.invalidateQueries({ queryKey: ["task"] }),
      ]),
  });
}
