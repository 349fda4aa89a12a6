import type { Project, Tool } from "../api/types";
import { type JsonSchema, titleOf } from "../lib/json-schema";
import { SelectField } from "./field";
import { projectOptions } from "./project-field";
import { SchemaFields } from "./schema-fields";

interface ToolFieldsProps {
  tools: Tool[];
  tool: Tool;
  onChoose: (name: string) => void;
  projects: Project[];
  /** What stands in the fields at first. */
  values?: unknown;
  faults: Record<string, string>;
}

/** Which tool, and what its schema asks for. */
export function ToolFields({ tools, tool, onChoose, projects, values, faults }: ToolFieldsProps) {
  return (
    <>
      <SelectField
        label="Tool"
        value={tool.name}
        hint={tool.summary}
        onChange={(event) => onChoose(event.target.value)}
      >
        {tools.map(({ name }) => (
          <option key={name} value={name}>
            {titleOf(name)}
          </option>
        ))}
      </SelectField>
      <SchemaFields
        key={tool.name}
        schema={tool.input_schema as JsonSchema}
        values={values as Record<string, unknown> | undefined}
        faults={faults}
        options={{ project: projectOptions(projects) }}
      />
    </>
  );
}
