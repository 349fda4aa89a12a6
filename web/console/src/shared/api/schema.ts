// Written by hand from the contract until the server's OpenAPI document replaces it (`npm run schema`).

type Json<T> = { content: { "application/json": T } };
type Fault = { content: { "application/problem+json": components["schemas"]["Problem"] } };
type Op<Ok, Body = never, Path = never, Query = never> = {
  parameters: { query?: [Query] extends [never] ? never : Query; header?: never; path: [Path] extends [never] ? never : Path; cookie?: never };
  requestBody?: [Body] extends [never] ? never : Json<Body>;
  responses: { 200: [Ok] extends [never] ? { content?: never } : Json<Ok>; default: Fault };
};
type Page<T> = { data: T[]; meta: { next_cursor?: string | null } };

export interface paths {
  "/api/v1/session": {
    get: Op<components["schemas"]["Session"]>;
    post: Op<components["schemas"]["Session"], { email: string; password: string }>;
    delete: Op<never>;
  };
  "/api/v1/session/all": { delete: Op<never> };
  "/api/v1/session/welcome": {
    get: Op<components["schemas"]["Welcome"], never, never, { t: string }>;
    post: Op<components["schemas"]["Session"], { token: string; name?: string; email?: string; password?: string }>;
  };
  "/api/v1/session/password": { put: Op<never, { current: string; new: string }> };
  "/api/v1/commands": {
    get: Op<Page<components["schemas"]["Command"]>, never, never, { project?: string; task?: string; limit?: number; cursor?: string }>;
  };
  "/api/v1/projects": { get: Op<Page<components["schemas"]["Project"]>> };
  "/api/v1/projects/{project}": {
    get: Op<components["schemas"]["Project"], never, { project: string }>;
  };
  "/api/v1/projects/{project}/tree": { get: Op<components["schemas"]["Tree"], never, { project: string }> };
  "/api/v1/projects/{project}/revisions": {
    get: Op<Page<components["schemas"]["Revision"]>, never, { project: string }, { limit?: number; cursor?: string }>;
  };
  "/api/v1/projects/{project}/undo": {
    post: Op<components["schemas"]["Applied"], { revision?: number }, { project: string }>;
  };
  "/api/v1/projects/{project}/revert": {
    post: Op<components["schemas"]["Proposal"], { revision: number }, { project: string }>;
  };
  "/api/v1/tasks/{task}": {
    get: Op<components["schemas"]["Task"], never, { task: string }>;
    patch: Op<components["schemas"]["Task"], components["schemas"]["TaskBody"], { task: string }>;
  };
  "/api/v1/tasks/{task}/transition": {
    post: Op<components["schemas"]["Task"], { to: string; reason?: string }, { task: string }>;
  };
  "/api/v1/tasks/{task}/time": {
    post: Op<components["schemas"]["Task"], { minutes: number; note?: string }, { task: string }>;
  };
  "/api/v1/tasks/{task}/history": { get: Op<Page<components["schemas"]["TaskChange"]>, never, { task: string }> };
  "/api/v1/proposals": {
    get: Op<Page<components["schemas"]["Proposal"]>, never, never, { state?: string; project?: string }>;
  };
  "/api/v1/proposals/{number}": {
    get: Op<components["schemas"]["Proposal"], never, { number: number }, { revision?: number }>;
  };
  "/api/v1/proposals/{number}/diff": {
    get: Op<components["schemas"]["Diff"], never, { number: number }, { format?: string; revision?: number }>;
  };
  "/api/v1/proposals/{number}/accept": {
    post: Op<components["schemas"]["Proposal"], { ops?: number[]; digest?: string }, { number: number }>;
  };
  "/api/v1/proposals/{number}/reject": {
    post: Op<components["schemas"]["Proposal"], { reason: string }, { number: number }>;
  };
  "/api/v1/proposals/{number}/edit": {
    post: Op<
      components["schemas"]["Proposal"],
      { operations: { index: number; body: components["schemas"]["TaskBody"] }[] },
      { number: number }
    >;
  };
  "/api/v1/proposals/{number}/withdraw": { post: Op<components["schemas"]["Proposal"], never, { number: number }> };
  "/api/v1/proposals/{number}/comments": {
    post: Op<components["schemas"]["Proposal"], { text: string; operation?: number }, { number: number }>;
  };
  "/api/v1/members": {
    get: Op<Page<components["schemas"]["Member"]>>;
    post: Op<components["schemas"]["Member"], { name: string; email: string; role: string }>;
  };
  "/api/v1/members/{id}": {
    patch: Op<components["schemas"]["Member"], { name?: string; email?: string; role?: string }, { id: string }>;
    delete: Op<never, never, { id: string }>;
  };
  "/api/v1/keys": {
    get: Op<Page<components["schemas"]["ApiKey"]>>;
    post: Op<
      components["schemas"]["NewApiKey"],
      { name: string; scopes: string[]; project?: string; expires_at?: string }
    >;
  };
  "/api/v1/keys/{id}": { delete: Op<never, never, { id: string }> };
  "/api/v1/processes": { get: Op<Page<components["schemas"]["Process"]>> };
}

export interface components {
  schemas: {
    Problem: {
      type: string;
      title: string;
      status: number;
      detail?: string;
      errors?: { path: string; message: string; expected?: string; found?: string; fix?: string }[];
      request_id?: string;
    };
    Session: {
      member: components["schemas"]["Member"];
      organization: { id: string; name: string };
      csrf_token: string;
      planner: { kind: "builtin" | "model"; name: string };
      version: string;
    };
    Welcome: { organization: string; member: { name: string; email: string }; needs_password: boolean };
    Member: { id: string; name: string; email: string; role: string };
    ApiKey: {
      id: string;
      name: string;
      scopes: string[];
      project?: string | null;
      created_at: string;
      expires_at?: string | null;
      last_used_at?: string | null;
    };
    NewApiKey: components["schemas"]["ApiKey"] & { key: string };
    Process: {
      name: string;
      version: number;
      steps: { name: string; title: string; kind: "open" | "active" | "waiting" | "done" }[];
      transitions: { from: string; to: string }[];
    };
    Project: {
      id: string;
      key: string;
      title: string;
      summary: string;
      version: number;
      process: string;
      created_at: string;
      updated_at: string;
      open_proposals: number;
      tasks: number;
      done: number;
    };
    Criterion: { id: string; text: string; done: boolean };
    Task: {
      id: string;
      ref: string;
      project: string;
      parent_id?: string | null;
      title: string;
      description?: string | null;
      status: string;
      priority?: string | null;
      kind?: string | null;
      effort?: string | null;
      estimate_minutes?: number | null;
      logged_minutes?: number;
      assignee?: string | null;
      due_on?: string | null;
      labels: string[];
      depends_on: string[];
      blocker?: string | null;
      acceptance_criteria: components["schemas"]["Criterion"][];
      references: string[];
      external_refs: { [key: string]: string };
      metadata: { [key: string]: unknown };
    };
    TaskNode: components["schemas"]["Task"] & { subtasks: components["schemas"]["TaskNode"][] };
    TaskBody: {
      title?: string;
      description?: string | null;
      status?: string;
      priority?: string | null;
      kind?: string | null;
      effort?: string | null;
      estimate_minutes?: number | null;
      assignee?: string | null;
      due_on?: string | null;
      labels?: string[];
      depends_on?: string[];
      blocker?: string | null;
      acceptance_criteria?: { id?: string; text: string; done: boolean }[];
    };
    Tree: { project: components["schemas"]["Project"]; tasks: components["schemas"]["TaskNode"][] };
    TaskChange: {
      revision: number;
      at: string;
      author: string;
      proposal?: number | null;
      changes: components["schemas"]["FieldChange"][];
    };
    Revision: {
      number: number;
      project: string;
      author: string;
      proposal?: number | null;
      at: string;
      summary?: string;
      digest: string;
    };
    Applied: { version: number; revision: number };
    Reply: { text: string; actions: { label: string; command: string }[] };
    Command: {
      id: string;
      status: "queued" | "running" | "done" | "failed";
      text: string;
      reply?: components["schemas"]["Reply"] | null;
      project?: string | null;
      task?: string | null;
      proposal?: number | null;
      revision?: number | null;
      problem?: components["schemas"]["Problem"] | null;
      author: string;
      created_at: string;
      finished_at?: string | null;
      origin: string;
    };
    OperationView: {
      index: number;
      op: "create" | "update" | "delete";
      task: string;
      summary: string;
      state: "open" | "accepted" | "rejected";
      depends_on: number[];
    };
    Comment: { id: string; author: string; text: string; operation?: number | null; at: string };
    Proposal: {
      number: number;
      project?: string | null;
      title: string;
      state: "draft" | "open" | "conflicted" | "accepted" | "applied" | "rejected" | "withdrawn" | "expired";
      base_version: number;
      revision: number;
      operations: components["schemas"]["OperationView"][];
      note?: string | null;
      trust: string;
      author: string;
      conflicts: { operation: number; path: string; base: unknown; theirs: unknown; ours: unknown; why: string }[];
      applied_as?: number | null;
      created_at: string;
      updated_at: string;
      digest: string;
      risks: { kind: string; text: string }[];
      comments: components["schemas"]["Comment"][];
      revisions: { revision: number; at: string; message: string; author: string }[];
      decided?: { by: string; at: string; reason?: string | null } | null;
    };
    FieldChange: {
      field: string;
      before?: unknown;
      after?: unknown;
      words?: { kind: "same" | "added" | "removed"; text: string }[] | null;
    };
    DiffEntry: {
      index: number;
      op: "create" | "update" | "delete";
      task: string;
      title: string;
      parent?: string | null;
      after?: string | null;
      depth: number;
      moved?: {
        from: { parent?: string | null; after?: string | null };
        to: { parent?: string | null; after?: string | null };
      } | null;
      changes: components["schemas"]["FieldChange"][];
      removes: string[];
      needs: number[];
      state: "open" | "accepted" | "rejected";
      refined?: "added" | "changed" | "same" | null;
    };
    Diff: {
      project?: string | null;
      project_title: string;
      base_version: number;
      revision: number;
      digest: string;
      project_changes: components["schemas"]["FieldChange"][];
      entries: components["schemas"]["DiffEntry"][];
      counts: { created: number; changed: number; removed: number; moved: number };
    };
  };
}
