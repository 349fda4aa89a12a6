import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** Takes a revision back at once, one's own last change where none is named; what came later stays. */
export function useUndo(project: string) {
  const refresh = useRefreshPlan(project);
  return useMutation({
    mutationFn: async (revision?: number) =>
      body(await api.POST("/api/v1/projects/{project}/undo", { params: { path: { project } }, body: { revision } })),
    onSettled: refresh,
  });
}

/** Makes again what one last took back. */
export function useRedo(project: string) {
  const refresh = useRefreshPlan(project);
  return useMutation({
    mutationFn: async () => body(await api.POST("/api/v1/projects/{project}/redo", { params: { path: { project } } })),
    onSettled: refresh,
  });
}

function useRefreshPlan(project: string) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: keys.tree(project) }),
      client.invalidateQueries({ queryKey: keys.revisions(project) }),
      client.invalidateQueries({ queryKey: keys.projects }),
      client.invalidateQueries({ queryKey: ["task"] }),
    ]);
}
