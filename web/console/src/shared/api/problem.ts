import type { Problem } from "./types";

/** What the server said was wrong (RFC 9457), or what we say when it could not be reached. */
export class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = "ApiProblem";
    this.problem = problem;
  }

  get status() {
    return this.problem.status;
  }
}

const UNREACHABLE: Problem = {
  type: "about:blank",
  title: "Patchbay cannot be reached",
  status: 0,
  detail: "Check that the server is running and that you are online, then try again.",
};

export function asProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  if (error instanceof TypeError) return UNREACHABLE;
  return {
    type: "about:blank",
    title: "Something went wrong on our side",
    status: 500,
    detail: error instanceof Error ? error.message : undefined,
  };
}

/** One sentence for a toast. */
export function messageOf(error: unknown): string {
  const problem = asProblem(error);
  return problem.detail || problem.title;
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiProblem && error.status === status;
}

/**
 * The faults by the name of the field they belong to ("/email", "$.email", "/input/email" and "email" are all `email`). What names no field in
 * `fields` is in `rest`, so that no fault is ever swallowed.
 */
export function faultsByField(
  error: unknown,
  fields: readonly string[],
): { at: Record<string, string>; rest: string[] } {
  const problem = asProblem(error);
  const at: Record<string, string> = {};
  const rest: string[] = [];
  for (const fault of problem.errors ?? []) {
    const name = fault.path.split(/[$./[\]]/).find((part) => fields.includes(part));
    const sentence = fault.fix ? `${fault.message} ${fault.fix}` : fault.message;
    if (name !== undefined) at[name] ??= sentence;
    else rest.push(sentence);
  }
  if (!problem.errors?.length) rest.push(problem.detail || problem.title);
  return { at, rest };
}
