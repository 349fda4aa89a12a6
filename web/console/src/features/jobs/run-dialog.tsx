import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { toolsQuery } from "@/shared/api/tools";
import type { Job, Project, Tool } from "@/shared/api/types";
import { type JsonSchema, readInput } from "@/shared/lib/json-schema";
import { Dialog } from "@/shared/ui/dialog";
import { Loaded } from "@/shared/ui/loaded";
import { MutationForm } from "@/shared/ui/mutation-form";
import { ToolFields } from "@/shared/ui/tool-fields";
import { useRunTool } from "./api/jobs";

interface RunDialogProps {
  projects: Project[];
  /** A job whose input is taken as a beginning. */
  like?: Job;
  /** Whether what leaves the house may be run. */
  isAdmin: boolean;
  onRun: (job: Job) => void;
  onClose: () => void;
}

/** Runs a tool: which one, then what its schema asks for. */
export function RunDialog({ onClose, ...props }: RunDialogProps) {
  const tools = useQuery(toolsQuery);
  return (
    <Dialog open onClose={onClose} title="Run a tool" size="large" insists testId="run-tool">
      <Loaded query={tools} what="the tools">
        {(all) => (
          <RunForm {...props} tools={all.filter(({ scope }) => props.isAdmin || scope !== "admin")} onClose={onClose} />
        )}
      </Loaded>
    </Dialog>
  );
}

function RunForm({ tools, projects, like, onRun, onClose }: RunDialogProps & { tools: Tool[] }) {
  const [name, setName] = useState(like?.kind ?? tools[0]?.name);
  const [faults, setFaults] = useState<Record<string, string>>({});
  const run = useRunTool();
  const tool = tools.find((known) => known.name === name);
  if (!tool) return <p className="text-ink-soft text-sm">There is no tool that you may run.</p>;
  const schema = tool.input_schema as JsonSchema;
  const read = (form: FormData) => {
    const { input, faults } = readInput(schema, form);
    setFaults(faults);
    return Object.keys(faults).length > 0 ? null : { tool: tool.name, input };
  };
  return (
    <MutationForm
      mutation={run}
      fields={Object.keys(schema.properties ?? {})}
      read={read}
      onDone={onRun}
      onClose={onClose}
      verb="Run"
    >
      {(refused) => (
        <ToolFields
          tools={tools}
          tool={tool}
          onChoose={(chosen) => {
            setName(chosen);
            setFaults({});
            run.reset();
          }}
          projects={projects}
          values={like?.kind === tool.name ? like.payload : undefined}
          faults={{ ...refused, ...faults }}
        />
      )}
    </MutationForm>
  );
}
