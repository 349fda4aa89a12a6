import type { Command, DiffEntry, Problem, Proposal } from "../api/types";

/** A message of a person, as it goes out. `id` is ours: the server acts on it once, however often it comes. */
export interface CommandFrame {
  id: string;
  type: "command";
  text: string;
  project?: string;
  task?: string;
  proposal?: number;
}

export type ClientFrame =
  | CommandFrame
  | { id: string; type: "subscribe"; topics: string[]; since?: number }
  | { type: "ping" };

export interface LiveEvent {
  type: "event";
  seq: number;
  ts: string;
  event: string;
  actor: string | null;
  target: string | null;
  details: Record<string, unknown>;
}

export type ServerFrame =
  | { type: "ack"; id: string; command?: string }
  | { type: "op"; id: string; operation: DiffEntry }
  | { type: "token"; id: string; text: string }
  | { type: "proposal"; id: string; proposal: Proposal }
  | { type: "reply"; id: string; command: Command }
  | { type: "error"; id?: string; problem: Problem }
  | LiveEvent
  | { type: "pong" };
