import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { History, Undo2 } from "lucide-react";
import { useRef, useState } from "react";
import { toast } from "sonner";
import { Conversation } from "@/features/conversation/conversation";
import { useRevert } from "@/features/plan/api/revert";
import { treeQuery } from "@/features/plan/api/tree";
import { useRedo, useUndo } from "@/features/plan/api/undo";
import { HistoryDialog } from "@/features/plan/history-dialog";
import { progressOf } from "@/features/plan/progress";
import { TaskPanel } from "@/features/plan/task-panel";
import { useSteps } from "@/features/plan/use-steps";
import { proposalsQuery } from "@/features/review/api/proposals";
import { asProblem, isStatus, messageOf } from "@/shared/api/problem";
import type { Proposal } from "@/shared/api/types";
import { useHotkeys } from "@/shared/lib/hotkeys";
import { useTitle } from "@/shared/lib/use-title";
import { useInFlight } from "@/shared/live/live-context";
import { Button } from "@/shared/ui/button";
import { ProgressRing } from "@/shared/ui/small";
import { EmptyState, ErrorState } from "@/shared/ui/states";
import { TwoColumns, TwoColumnsSkeleton } from "../two-columns";
import { useSession } from "../use-session";
import { Workspace } from "../workspace";
import { NotFoundPage } from "./not-found-page";

export function ProjectPage() {
  const { key } = useParams({ from: "/signed-in/p/$key" });
  const { task } = useSearch({ from: "/signed-in/p/$key" });
  const navigate = useNavigate();
  const session = useSession();
  const tree = useQuery(treeQuery(key));
  const open = useQuery(proposalsQuery("open", key));
  const undo = useUndo(key);
  const redo = useRedo(key);
  const revert = useRevert(key);
  const [isHistoryOpen, setHistoryOpen] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const steps = useSteps(tree.data?.project.process);
  const inProject = useInFlight(key);
  const inTask = useInFlight(key, task);
  const writing = (task ? inTask : inProject).at(-1);
  useTitle(tree.data?.project.title ?? key);

  const openTask = (ref: string | undefined) =>
    void navigate({ to: "/p/$key", params: { key }, search: ref ? { task: ref } : {} });
  const failed = (error: Error) => toast.error(messageOf(error));
  const redoLast = () =>
    redo.mutate(undefined, {
      onSuccess: ({ version }) => toast.success(`Made again: ${key} is at version ${version}`),
      onError: failed,
    });
  const proposeUndo = (revision: number) =>
    revert.mutate(revision, {
      onSuccess: () => toast.success(`Taking back version ${revision} is proposed; nothing has changed yet.`),
      onError: failed,
    });
  const takeBack = (revision?: number) =>
    undo.mutate(revision, {
      onSuccess: ({ version }) =>
        toast.success(`Taken back: ${key} is at version ${version}`, { action: { label: "Redo", onClick: redoLast } }),
      onError: (error) => {
        // What came later stands in the way: as a proposal it can be settled.
        if (revision !== undefined && asProblem(error).type.endsWith("/conflicted")) proposeUndo(revision);
        else failed(error);
      },
    });
  useHotkeys({
    "/": () => input.current?.focus(),
    u: () => takeBack(),
    U: redoLast,
    h: () => setHistoryOpen(true),
    Escape: () => openTask(undefined),
  });

  if (isStatus(tree.error, 404)) return <NotFoundPage />;
  if (tree.isError)
    return <ErrorState error={tree.error} title="The plan could not be loaded" onRetry={() => tree.refetch()} />;
  if (!tree.data) return <TwoColumnsSkeleton label="Loading the plan" />;

  const { project, tasks } = tree.data;
  const { done, total } = progressOf(tasks, steps);
  const proposal = open.data?.[0];
  const others = (open.data?.length ?? 0) - 1;
  const accepted = (decided: Proposal) => {
    const revision = decided.applied_as ?? undefined;
    toast.success(`${key} is at version ${revision}`, {
      action: { label: "Undo", onClick: () => takeBack(revision) },
    });
  };
  const conversation = (
    <Conversation
      key={task ?? key}
      project={key}
      task={task}
      author={session.member.name}
      proposal={proposal?.number}
      // A task has a conversation of its own, with a proposal of its own.
      refines={task ? undefined : proposal?.number}
      placeholder={
        task
          ? `Write about ${task}…`
          : proposal
            ? `Refine #${proposal.number}, or ask…`
            : "Say what should change, or ask…"
      }
      suggestions={
        writing
          ? []
          : task && !proposal
            ? ["break this down"]
            : proposal
              ? []
              : tasks.length > 0
                ? ["what is left?", "what is due this week?"]
                : []
      }
      inputRef={input}
      above={task ? <TaskPanel reference={task} onClose={() => openTask(undefined)} onOpen={openTask} /> : undefined}
      empty={
        task ? null : (
          <EmptyState title="Talk about this plan">
            "add a task for documentation", "push everything by a week", "what is blocked?" What would change something
            comes as a proposal.
          </EmptyState>
        )
      }
    />
  );
  return (
    <>
      <TwoColumns
        header={
          <header className="flex min-h-14 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2 sm:flex-nowrap">
            <span className="flex min-w-0 items-center gap-2.5 max-sm:w-full">
              <span className="rounded bg-sunken px-1.5 font-medium font-mono text-ink-soft text-xs">
                {project.key}
              </span>
              <h1 className="min-w-0 truncate font-semibold text-lg" title={project.title}>
                {project.title}
              </h1>
            </span>
            <span className="flex shrink-0 items-center gap-1.5 text-ink-mute text-xs tabular-nums">
              <ProgressRing done={done} total={total} />
              {done} of {total} done · version {project.version}
              {others > 0 && <> · {others} more to review</>}
            </span>
            <span className="ml-auto flex shrink-0 items-center gap-1">
              <Button
                look="quiet"
                size="small"
                onClick={() => takeBack()}
                busy={undo.isPending}
                disabled={project.version === 0}
                icon={<Undo2 className="size-3.5" aria-hidden="true" />}
                aria-keyshortcuts="u"
                data-testid="undo"
              >
                <span className="max-sm:sr-only">Undo</span>
              </Button>
              <Button
                look="quiet"
                size="small"
                onClick={() => setHistoryOpen(true)}
                icon={<History className="size-3.5" aria-hidden="true" />}
                aria-keyshortcuts="h"
              >
                <span className="max-sm:sr-only">History</span>
              </Button>
            </span>
          </header>
        }
        plan={
          <Workspace
            project={project}
            tasks={tasks}
            proposal={proposal}
            writing={writing}
            current={task}
            onOpen={openTask}
            onAccepted={accepted}
            empty={
              <EmptyState title="No tasks yet">
                Write what is to be done beside this, or paste a list. It comes as a proposal.
              </EmptyState>
            }
          />
        }
        sideLabel={task ?? "Conversation"}
        sideKey={task}
        side={conversation}
      />
      <HistoryDialog
        project={key}
        version={project.version}
        process={project.process}
        open={isHistoryOpen}
        onClose={() => setHistoryOpen(false)}
        onUndo={takeBack}
      />
    </>
  );
}
