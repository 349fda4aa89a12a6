import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Undo2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { DiffEntry, FieldChange, Revision, TaskNode } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { Button } from "@/shared/ui/button";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { betweenQuery, treeAtQuery } from "./api/version";
import { FieldChanges } from "./change-lines";
import { PlanTree } from "./plan-tree";
import { useSteps } from "./use-steps";

interface VersionProps {
  project: string;
  revision: Revision;
  newest: number;
  process: string;
  onBack: () => void;
  onUndo: () => void;
}

type View = "change" | "since" | "then";

/** One version of a plan: what it changed, what happened since, and the plan as it was. */
export function Version({ project, revision, newest, process, onBack, onUndo }: VersionProps) {
  const [view, setView] = useState<View>("change");
  const views: { view: View; label: string }[] = [
    { view: "change", label: "What it changed" },
    ...(revision.number < newest ? [{ view: "since" as const, label: "What changed since" }] : []),
    { view: "then", label: "The plan then" },
  ];
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-1.5">
        <Button size="small" look="quiet" onClick={onBack} icon={<ArrowLeft className="size-3.5" aria-hidden="true" />}>
          All versions
        </Button>
        <span role="group" aria-label="What to look at" className="flex flex-wrap gap-1">
          {views.map(({ view: each, label }) => (
            <Button
              key={each}
              size="small"
              look={each === view ? undefined : "quiet"}
              aria-pressed={each === view}
              onClick={() => setView(each)}
            >
              {label}
            </Button>
          ))}
        </span>
        {revision.number > 1 && (
          <Button
            size="small"
            look="quiet"
            className="ml-auto"
            onClick={onUndo}
            icon={<Undo2 className="size-3.5" aria-hidden="true" />}
          >
            Undo
          </Button>
        )}
      </div>
      {view === "change" && (
        <Between project={project} from={revision.number - 1} to={revision.number} process={process} />
      )}
      {view === "since" && <Between project={project} from={revision.number} to={newest} process={process} />}
      {view === "then" && <Then project={project} version={revision.number} process={process} />}
    </>
  );
}

function Between({ project, from, to, process }: { project: string; from: number; to: number; process: string }) {
  const found = useQuery(betweenQuery(project, from, to));
  // What is changed is shown in the plan that it was changed in.
  const before = useQuery(treeAtQuery(project, from));
  if (found.isPending || before.isPending) return <Loading />;
  if (found.isError) return <Failed error={found.error} onRetry={() => found.refetch()} />;
  const { entries, project_changes } = found.data;
  if (entries.length === 0 && project_changes.length === 0) return <EmptyState title="In the end nothing changed" />;
  const tasks = before.data?.tasks ?? [];
  return (
    <Plan process={process} tasks={tasks} entries={entries} changes={project_changes} label="The changes" onlyTouched />
  );
}

function Then({ project, version, process }: { project: string; version: number; process: string }) {
  const tree = useQuery(treeAtQuery(project, version));
  if (tree.isPending) return <Loading />;
  if (tree.isError) return <Failed error={tree.error} onRetry={() => tree.refetch()} />;
  if (tree.data.tasks.length === 0) return <EmptyState title="There were no tasks yet" />;
  return <Plan process={process} tasks={tree.data.tasks} entries={[]} label={`The plan at version ${version}`} />;
}

interface PlanProps {
  process: string;
  tasks: TaskNode[];
  entries: DiffEntry[];
  changes?: FieldChange[];
  label: string;
  onlyTouched?: boolean;
}

function Plan({ process, tasks, entries, changes = [], label, onlyTouched }: PlanProps) {
  const steps = useSteps(process);
  return (
    <Frame>
      {changes.length > 0 && (
        <div className={cx("px-3 py-2", entries.length > 0 && "border-line border-b")}>
          <FieldChanges changes={changes} />
        </div>
      )}
      {(tasks.length > 0 || entries.length > 0) && (
        <PlanTree
          label={label}
          tasks={tasks}
          entries={entries}
          steps={steps}
          onOpen={() => {}}
          onlyTouched={onlyTouched}
        />
      )}
    </Frame>
  );
}

function Frame({ children }: { children: ReactNode }) {
  return <div className="overflow-hidden rounded-lg border border-line">{children}</div>;
}

function Loading() {
  return <SkeletonLines label="Loading" widths={["w-2/3", "w-1/2", "w-3/5"]} />;
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return <ErrorState error={error} title="It could not be loaded" onRetry={onRetry} />;
}
