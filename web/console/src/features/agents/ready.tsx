import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheckBig } from "lucide-react";
import type { Project, ReadyTask } from "@/shared/api/types";
import { calendarDay } from "@/shared/lib/time";
import { FilterSelect } from "@/shared/ui/filters";
import { Lines } from "@/shared/ui/line";
import { Loaded } from "@/shared/ui/loaded";
import { projectOptions } from "@/shared/ui/project-field";
import { Badge } from "@/shared/ui/small";
import { EmptyState } from "@/shared/ui/states";
import { readyQuery } from "./api/collab";

interface ReadyProps {
  projects: Project[];
  project: string | undefined;
  onChoose: (project: string | undefined) => void;
}

/** What could be begun now, in the order in which it is given out. */
export function Ready({ projects, project, onChoose }: ReadyProps) {
  const ready = useQuery(readyQuery(project));
  return (
    <>
      <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
        <p className="text-ink-soft text-sm">
          Its dependencies are done, nothing is open below it, and nobody holds it. Claimed from the top.
        </p>
        {projects.length > 1 && (
          <div className="w-full sm:w-60">
            <FilterSelect
              label="Project"
              all="All projects"
              value={project}
              options={projectOptions(projects)}
              onChange={onChoose}
            />
          </div>
        )}
      </div>
      <Loaded query={ready} what="the ready work">
        {(all) =>
          all.length === 0 ? (
            <EmptyState
              framed
              icon={<CircleCheckBig className="size-6" aria-hidden="true" />}
              title="Nothing is ready to be begun"
            >
              Either all is done, or what is left waits for something or is being worked on.
            </EmptyState>
          ) : (
            <Lines testId="ready">
              {all.map((task) => (
                <ReadyLine key={task.id} task={task} />
              ))}
            </Lines>
          )
        }
      </Loaded>
    </>
  );
}

function ReadyLine({ task }: { task: ReadyTask }) {
  const key = task.ref.replace(/-\d+$/, "");
  const isUrgent = task.priority === "P0" || task.priority === "P1";
  return (
    <li>
      <Link
        to="/p/$key"
        params={{ key }}
        search={{ task: task.ref }}
        className="flex items-start gap-x-3 px-4 py-2.5 text-sm hover:bg-hover focus-visible:-outline-offset-2"
      >
        <span className="min-w-16 shrink-0 font-mono text-ink-mute text-xs leading-5">{task.ref}</span>
        <span className="flex min-w-0 flex-1 flex-wrap items-start gap-x-3 gap-y-1">
          <span className="min-w-[min(16rem,100%)] flex-1 [overflow-wrap:anywhere]">{task.title}</span>
          {task.labels.map((label) => (
            <Badge key={label}>{label}</Badge>
          ))}
          {task.due_on && <span className="text-ink-mute text-xs leading-5">due {calendarDay(task.due_on)}</span>}
          {task.priority && <Badge tone={isUrgent ? "changed" : "neutral"}>{task.priority}</Badge>}
        </span>
      </Link>
    </li>
  );
}
