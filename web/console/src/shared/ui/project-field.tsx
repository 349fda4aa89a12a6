import type { Project } from "../api/types";
import { SelectField } from "./field";

/** The projects, as one chooses among them. */
export const projectOptions = (projects: Project[]) =>
  projects.map(({ key, title }) => ({ value: key, title: `${key}: ${title}` }));

interface ProjectFieldProps {
  label: string;
  /** What no project means. */
  none: string;
  projects: Project[];
  chosen?: string | null;
  error?: string;
}

/** One of the projects, or none; the field `project` of its form. */
export function ProjectField({ label, none, projects, chosen, error }: ProjectFieldProps) {
  return (
    <SelectField label={label} name="project" defaultValue={chosen ?? ""} error={error}>
      <option value="">{none}</option>
      {projectOptions(projects).map(({ value, title }) => (
        <option key={value} value={value}>
          {title}
        </option>
      ))}
    </SelectField>
  );
}
