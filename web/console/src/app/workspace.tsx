import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { FieldChanges } from "@/features/plan/change-lines";
import { planIsEmpty } from "@/features/plan/plan-rows";
import { PlanTree } from "@/features/plan/plan-tree";
import { useSteps } from "@/features/plan/use-steps";
import { diffQuery } from "@/features/review/api/diff";
import { EditDialog } from "@/features/review/edit-dialog";
import { ProposalBar, WritingBar } from "@/features/review/proposal-bar";
import { useChosen } from "@/features/review/use-chosen";
import type { DiffEntry, Project, Proposal, TaskNode } from "@/shared/api/types";
import type { InFlight } from "@/shared/live/outbox";
import { ErrorState } from "@/shared/ui/states";

interface WorkspaceProps {
  project?: Pick<Project, "key" | "title" | "process">;
  tasks: TaskNode[];
  /** The open proposal that is laid into the plan. */
  proposal?: Proposal;
  /** The page has its title as heading. */
  isTitled?: boolean;
  /** Our message that a planner is working on. */
  writing?: InFlight;
  /** The task whose page is open. */
  current?: string;
  onOpen: (ref: string) => void;
  onAccepted: (proposal: Proposal) => void;
  empty: ReactNode;
}

/** The plan, with a proposal laid into it: the same lines, before and after the decision. */
export function Workspace({
  project,
  tasks,
  proposal,
  isTitled,
  writing,
  current,
  onOpen,
  onAccepted,
  empty,
}: WorkspaceProps) {
  const steps = useSteps(project?.process ?? "simple");
  const diff = useQuery({ ...diffQuery(proposal?.number ?? 0), enabled: proposal !== undefined });
  const isWriting = writing !== undefined && (writing.operations.length > 0 || proposal === undefined);
  const shown = proposal && diff.data && !isWriting ? diff.data : undefined;
  const entries = isWriting ? writing.operations : (shown?.entries ?? []);
  const { chosen, toggle, setAll, isAll } = useChosen(proposal?.number, shown?.entries ?? []);
  const [editing, setEditing] = useState<{ entry: DiffEntry; task: TaskNode | null } | null>(null);
  const changes = shown?.project_changes.filter((change) => proposal?.project || change.field === "summary") ?? [];

  return (
    <>
      {isWriting ? (
        <WritingBar count={entries.length} onRefining={proposal?.number} />
      ) : (
        proposal && (
          <ProposalBar
            key={proposal.number}
            proposal={proposal}
            isTitled={isTitled}
            diff={shown}
            chosen={chosen}
            isAll={isAll}
            onChooseAll={setAll}
            onTake={toggle}
            onAccepted={onAccepted}
          />
        )
      )}
      {changes.length > 0 && (
        <div className="border-line border-b bg-changed px-4 py-2">
          <FieldChanges changes={changes} />
        </div>
      )}
      {proposal && !isWriting && diff.isError && (
        <ErrorState error={diff.error} title="The changes could not be loaded" onRetry={() => diff.refetch()} />
      )}
      {planIsEmpty(tasks, entries) ? (
        empty
      ) : (
        <PlanTree
          label={project ? `Plan of ${project.title}` : "The proposed plan"}
          tasks={tasks}
          entries={entries}
          steps={steps}
          current={current}
          onOpen={onOpen}
          review={
            shown && proposal
              ? { chosen, onToggle: toggle, onEdit: (entry, task) => setEditing({ entry, task }) }
              : undefined
          }
        />
      )}
      {proposal && (
        <EditDialog
          number={proposal.number}
          entry={editing?.entry ?? null}
          task={editing?.task ?? null}
          onClose={() => setEditing(null)}
        />
      )}
    </>
  );
}
