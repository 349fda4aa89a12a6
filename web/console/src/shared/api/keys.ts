/** Every cache key in one place, so that a live event can name what it makes stale. */
export const keys = {
  session: ["session"] as const,
  projects: ["projects"] as const,
  tree: (project: string) => ["tree", project] as const,
  treeAt: (project: string, version: number) => ["versions", project, version] as const,
  between: (project: string, from: number, to: number) => ["versions", project, from, to] as const,
  revisions: (project: string) => ["revisions", project] as const,
  task: (ref: string) => ["task", ref] as const,
  taskHistory: (ref: string) => ["task", ref, "history"] as const,
  commands: (project?: string, task?: string) => ["commands", project ?? null, task ?? null] as const,
  proposals: ["proposals"] as const,
  proposalList: (state?: string, project?: string) => ["proposals", "list", state ?? null, project ?? null] as const,
  proposal: (number: number) => ["proposals", number] as const,
  diff: (number: number, revision?: number) => ["proposals", number, "diff", revision ?? null] as const,
  members: ["members"] as const,
  apiKeys: ["keys"] as const,
  processes: ["processes"] as const,
};
