import type { components } from "./schema";

/** The console's names for the schema's shapes: the one place that knows what the generated schema calls them. */
type S = components["schemas"];

export type Problem = Pick<S["Problem"], "type" | "title" | "status"> & Partial<S["Problem"]>;
export type Session = S["SessionView"];
export type Member = S["MemberView"];
export type NewMember = S["AddMember"];
export type Key = S["KeyView"];
export type NewKey = S["CreateKey"];
export type HeldMail = S["Quarantined"];
export type Channel = S["ChannelView"];
export type ChannelName = Channel["channel"];
export type ChannelSettings = Channel["settings"];
export type Identity = S["Identity"];
export type Job = S["JobView"];
export type JobState = Job["state"];
export type Policy = S["PolicyView"];
export type Rule = S["Rule"];
export type Process = S["Process"];
export type Project = S["ListedProject"];
export type Task = S["OneTask"];
export type TaskNode = S["TaskTree"];
export type TaskBody = S["UpdateBodyInput"];
export type Tree = S["Tree"];
export type Revision = S["RevisionView"];
export type Command = Omit<S["CommandView"], "problem"> & { problem: Problem | null };
export type Proposal = S["ProposalView"];
export type Conflict = S["Conflict"];
export type Settlement = S["Resolve"];
export type FieldChange = S["FieldChange"];
export type DiffEntry = S["EntryView"];
export type Diff = S["DiffView"];
