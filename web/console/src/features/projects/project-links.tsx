import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ProgressRing } from "@/shared/ui/small";
import { Skeleton } from "@/shared/ui/states";
import { projectsQuery } from "./api/projects";

/** The projects in the sidebar, each with its progress and a dot where something waits for review. */
export function ProjectLinks({ onNavigate }: { onNavigate: () => void }) {
  const projects = useQuery(projectsQuery);
  if (projects.isPending) {
    return (
      <div className="space-y-2 px-2 py-1">
        <Skeleton className="h-5 w-4/5" />
        <Skeleton className="h-5 w-3/5" />
      </div>
    );
  }
  return (
    <ul className="space-y-px">
      {projects.data?.map((project) => (
        <li key={project.key}>
          <Link
            to="/p/$key"
            params={{ key: project.key }}
            onClick={onNavigate}
            className="flex h-8 items-center gap-2 rounded-md px-2 text-ink-soft text-sm hover:bg-hover hover:text-ink"
            activeProps={{ className: "bg-selected font-medium !text-ink", "aria-current": "page" }}
          >
            <ProgressRing done={project.done} total={project.tasks} />
            <span className="min-w-0 flex-1 truncate">{project.title}</span>
            {project.open_proposals > 0 && (
              <span
                className="rounded-full bg-accent-soft px-1.5 font-medium text-2xs text-accent-ink"
                title={`${project.open_proposals} to review`}
              >
                {project.open_proposals}
                <span className="sr-only"> to review</span>
              </span>
            )}
          </Link>
        </li>
      ))}
    </ul>
  );
}
