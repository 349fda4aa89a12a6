import type { components } from "./schema";

/** The console's names for the schema's shapes: the one place that knows what the generated schema calls them. */
type S = components["schemas"];

export type Problem = S["Problem"];
export type Session = S["Session"];
export type Member = S["Member"];
export type ApiKey = S["ApiKey"];
export type Process = S["Process"];
export type Project = S["Project"];
export type Task = S["Task"];
export type TaskNode = S["TaskNode"];
export type TaskBody = S["TaskBody"];
export type TaskChange = S["TaskChange"];
export type Tree = S["Tree"];
export type Revision = S["Revision"];
export type Command = S["Command"];
export type Proposal = S["Proposal"];
export type FieldChange = S["FieldChange"];
export type DiffEntry = S["DiffEntry"];
export type Diff = S["Diff"];
