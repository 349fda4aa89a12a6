import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { processesQuery } from "@/shared/api/processes";
import type { Process } from "@/shared/api/types";

export type Step = Process["steps"][number];

export interface Steps {
  of: (status: string) => Step;
  /** Where a task may go from here. */
  next: (status: string) => Step[];
  all: Step[];
}

/** The steps of a project's process; a step that is not known (still loading) shows its plain name. */
export function useSteps(processName: string | undefined): Steps {
  const { data } = useQuery(processesQuery);
  return useMemo(() => {
    const process = data?.find(({ name }) => name === processName);
    const of = (status: string): Step =>
      process?.steps.find(({ name }) => name === status) ?? { name: status, title: status, kind: "open" };
    const next = (status: string) =>
      (process?.transitions ?? []).filter(({ from }) => from === status).map(({ to }) => of(to));
    return { of, next, all: process?.steps ?? [] };
  }, [data, processName]);
}
