import { Link } from "@tanstack/react-router";
import { GitPullRequestArrow } from "lucide-react";
import type { Project } from "@/shared/api/types";
import { plainText } from "@/shared/lib/markdown";
import { relativeTime } from "@/shared/lib/time";
import { Badge } from "@/shared/ui/small";

export function ProjectList({ projects }: { projects: Project[] }) {
  return (
    <ul
      className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface"
      data-testid="project-list"
    >
      {projects.map((project) => (
        <li key={project.key}>
          <Link
            to="/p/$key"
            params={{ key: project.key }}
            className="grid grid-cols-1 items-center gap-x-6 gap-y-1 px-4 py-3.5 transition-colors hover:bg-hover focus-visible:-outline-offset-2 sm:grid-cols-[minmax(0,1fr)_10rem_4.5rem]"
          >
            <span className="min-w-0">
              <span className="flex items-center gap-2">
                <span className="rounded bg-sunken px-1.5 font-medium font-mono text-2xs text-ink-soft">
                  {project.key}
                </span>
                <span className="truncate font-medium">{project.title}</span>
                {project.open_proposals > 0 && (
                  <Badge tone="accent">
                    <GitPullRequestArrow className="size-3" aria-hidden="true" />
                    {project.open_proposals} to review
                  </Badge>
                )}
              </span>
              {project.summary && (
                <span className="mt-0.5 block truncate text-ink-mute text-sm">{plainText(project.summary)}</span>
              )}
            </span>
            <Progress done={project.done} total={project.tasks} />
            <span className="hidden text-right text-ink-mute text-xs sm:block">{relativeTime(project.updated_at)}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Progress({ done, total }: { done: number; total: number }) {
  const percent = total === 0 ? 0 : Math.round((done / total) * 100);
  return (
    <span className="flex items-center gap-2">
      <span className="h-1 flex-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
        <span className="block h-full rounded-full bg-accent" style={{ width: `${percent}%` }} />
      </span>
      <span className="w-14 text-right text-ink-mute text-xs tabular-nums">
        {done} of {total}
        <span className="sr-only"> tasks done</span>
      </span>
    </span>
  );
}
