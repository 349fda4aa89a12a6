import { useQuery } from "@tanstack/react-query";
import { ChevronDown, X } from "lucide-react";
import type { ReactNode } from "react";
import { toast } from "sonner";
import { membersQuery } from "@/shared/api/members";
import { isStatus, messageOf } from "@/shared/api/problem";
import type { Task, TaskBody } from "@/shared/api/types";
import { calendarDay, duration } from "@/shared/lib/time";
import { Button, IconButton } from "@/shared/ui/button";
import { Markdown } from "@/shared/ui/markdown";
import { Menu, MenuItem } from "@/shared/ui/menu";
import { Badge } from "@/shared/ui/small";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { StepIcon } from "@/shared/ui/step-icon";
import { taskQuery } from "./api/task";
import { useTransitionTask } from "./api/transition-task";
import { useUpdateTask } from "./api/update-task";
import { type Steps, useSteps } from "./use-steps";

interface TaskPanelProps {
  reference: string;
  onClose: () => void;
  onOpen: (ref: string) => void;
}

/** One task with all that is known of it; what is changed here by hand takes effect at once and can be undone. */
export function TaskPanel({ reference, onClose, onOpen }: TaskPanelProps) {
  const task = useQuery(taskQuery(reference));
  return (
    <section aria-label={reference} className="border-line border-b bg-surface" data-testid="task-panel">
      <header className="flex items-center justify-between px-4 pt-3">
        <span className="font-mono text-ink-mute text-xs">{reference}</span>
        <IconButton label="Close (Esc)" onClick={onClose}>
          <X className="size-4" aria-hidden="true" />
        </IconButton>
      </header>
      {task.isPending ? (
        <SkeletonLines label="Loading the task" widths={["w-3/4", "w-1/3", "w-2/3"]} />
      ) : isStatus(task.error, 404) ? (
        <EmptyState title="This task is gone">It was removed, or never was.</EmptyState>
      ) : task.isError ? (
        <ErrorState error={task.error} title="The task could not be loaded" onRetry={() => task.refetch()} />
      ) : (
        <Details task={task.data} onOpen={onOpen} />
      )}
    </section>
  );
}

function Details({ task, onOpen }: { task: Task; onOpen: (ref: string) => void }) {
  const process = useProcessOf(task);
  const members = useQuery(membersQuery);
  const update = useUpdateTask(task.ref);
  const transition = useTransitionTask(task.ref);
  const failed = { onError: (error: unknown) => void toast.error(messageOf(error)) };
  const change = (body: TaskBody) => update.mutate(body, failed);
  const step = process.of(task.status);
  return (
    <div className="space-y-3.5 px-4 pb-4">
      <h2 className="font-semibold text-lg leading-snug">{task.title}</h2>
      <div className="flex flex-wrap gap-1.5">
        <Choice label="Step" value={step.title} icon={<StepIcon kind={step.kind} />}>
          {task.can_go_to.map((name) => (
            <MenuItem
              key={name}
              icon={<StepIcon kind={process.of(name).kind} />}
              onSelect={() => transition.mutate({ to: name }, failed)}
            >
              {process.of(name).title}
            </MenuItem>
          ))}
        </Choice>
        <Choice label="Assignee" value={task.assignee ?? "Nobody"}>
          <MenuItem checked={task.assignee === null} onSelect={() => change({ assignee: null })}>
            Nobody
          </MenuItem>
          {members.data?.map(({ handle, name }) => (
            <MenuItem key={handle} checked={task.assignee === handle} onSelect={() => change({ assignee: handle })}>
              {name}
            </MenuItem>
          ))}
        </Choice>
        <Choice label="Priority" value={task.priority ?? "No priority"}>
          {(["P0", "P1", "P2", "P3", null] as const).map((priority) => (
            <MenuItem
              key={priority ?? "none"}
              checked={task.priority === priority}
              onSelect={() => change({ priority })}
            >
              {priority ?? "None"}
            </MenuItem>
          ))}
        </Choice>
      </div>
      <dl className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-2 gap-y-1 text-sm">
        {task.due_on && <Fact name="Due">{calendarDay(task.due_on)}</Fact>}
        {task.effort && <Fact name="Effort">{task.effort}</Fact>}
        {task.estimate_minutes !== null && <Fact name="Estimate">{duration(task.estimate_minutes)}</Fact>}
        {task.logged_minutes > 0 && <Fact name="Logged">{duration(task.logged_minutes)}</Fact>}
        {task.blocker && <Fact name="Blocked by">{task.blocker}</Fact>}
        {task.depends_on.length > 0 && (
          <Fact name="Waits for">
            {task.depends_on.map((ref) => (
              <button
                key={ref}
                type="button"
                onClick={() => onOpen(ref)}
                className="mr-2 text-accent-ink underline decoration-current/40 underline-offset-2"
              >
                {ref}
              </button>
            ))}
          </Fact>
        )}
        {task.labels.length > 0 && (
          <Fact name="Labels">
            <span className="flex flex-wrap gap-1">
              {task.labels.map((label) => (
                <Badge key={label}>{label}</Badge>
              ))}
            </span>
          </Fact>
        )}
      </dl>
      {task.description && (
        <div className="text-ink-soft text-sm">
          <Markdown text={task.description} />
        </div>
      )}
      {task.acceptance_criteria.length > 0 && (
        <fieldset className="space-y-1">
          <legend className="mb-1 text-ink-mute text-xs">Done when</legend>
          {task.acceptance_criteria.map((criterion) => (
            <label key={criterion.id} className="flex items-start gap-2 text-sm">
              <input
                type="checkbox"
                checked={criterion.done}
                onChange={(event) =>
                  change({ acceptance_criteria: { add: [{ ...criterion, done: event.target.checked }], remove: [] } })
                }
                className="mt-1 size-3.5 shrink-0 cursor-pointer accent-accent"
              />
              <span className={criterion.done ? "text-ink-mute line-through" : undefined}>{criterion.text}</span>
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

/** The steps of whatever process the task's status belongs to: a task does not name its process, its steps do. */
function useProcessOf(task: Task): Steps {
  const simple = useSteps("simple");
  const agents = useSteps("agents");
  return simple.all.some(({ name }) => name === task.status) ? simple : agents;
}

function Choice({
  label,
  value,
  icon,
  children,
}: {
  label: string;
  value: string;
  icon?: ReactNode;
  children: ReactNode;
}) {
  return (
    <Menu
      label={label}
      trigger={
        <Button size="small" icon={icon} aria-label={`${label}: ${value}`}>
          {value}
          <ChevronDown className="size-3 text-ink-mute" aria-hidden="true" />
        </Button>
      }
    >
      {children}
    </Menu>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-mute text-xs leading-5">{name}</dt>
      <dd className="min-w-0 break-words text-ink-soft">{children}</dd>
    </>
  );
}
