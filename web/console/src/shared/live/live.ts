import type { Command, Proposal } from "../api/types";
import { newId } from "../lib/id";
import { Connection, type ConnectionStatus } from "./connection";
import type { CommandFrame, LiveEvent, ServerFrame } from "./frames";
import { Outbox, withOperation } from "./outbox";

export interface LiveListener {
  onReply: (command: Command) => void;
  onProposal: (proposal: Proposal) => void;
  onEvent: (event: LiveEvent) => void;
  /** The connection stands for the first time: what was read before may have missed an event. */
  onFirstOpen: () => void;
  /** Connecting keeps failing: perhaps the session is over. */
  onTrouble: () => void;
}

/**
 * What is live: commands out, their progress and everybody's events in. Each command goes out until its outcome is known, always under the
 * same id; each event is handed on once, in order, whatever the server repeats after a reconnect.
 */
export class Live {
  readonly outbox = new Outbox();
  readonly #connection: Connection;
  readonly #listener: LiveListener;
  readonly #statusListeners = new Set<() => void>();
  #status: ConnectionStatus = "closed";
  #lastSeq: number | undefined;
  #hasOpened = false;

  constructor(listener: LiveListener, open: () => WebSocket = openSocket) {
    this.#listener = listener;
    this.#connection = new Connection({
      open,
      onFrame: (frame) => this.#receive(frame),
      onOpen: () => this.#opened(),
      onStatus: (status, attempt) => {
        this.#status = status;
        for (const notify of this.#statusListeners) notify();
        if (attempt > 0 && attempt % 3 === 0) listener.onTrouble();
      },
    });
  }

  start = () => this.#connection.start();
  stop = () => this.#connection.stop();
  readonly status = () => this.#status;
  readonly subscribeStatus = (notify: () => void) => {
    this.#statusListeners.add(notify);
    return () => this.#statusListeners.delete(notify);
  };

  /** Sends now, or as soon as there is a connection. */
  send(command: Omit<CommandFrame, "id" | "type">): string {
    const frame: CommandFrame = { ...command, id: newId(), type: "command" };
    this.outbox.add(frame);
    this.#connection.post(frame);
    return frame.id;
  }

  /** A refused message, tried again by its author: a new attempt with a new id. */
  retry(id: string) {
    const item = this.outbox.items().find(({ frame }) => frame.id === id);
    if (!item) return;
    this.outbox.remove(id);
    const { id: _old, type: _type, ...command } = item.frame;
    this.send(command);
  }

  #opened() {
    this.#connection.post({ id: newId(), type: "subscribe", topics: ["*"], since: this.#lastSeq });
    for (const frame of this.outbox.resend()) this.#connection.post(frame);
    if (!this.#hasOpened) this.#listener.onFirstOpen();
    this.#hasOpened = true;
  }

  #receive(frame: ServerFrame) {
    switch (frame.type) {
      case "ack":
        return this.outbox.update(frame.id, () => ({ command: frame.command }));
      case "op":
        return this.outbox.update(frame.id, (item) => ({
          operations: withOperation(item.operations, frame.operation),
        }));
      case "token":
        return this.outbox.update(frame.id, (item) => ({ streamedText: item.streamedText + frame.text }));
      case "proposal":
        this.#listener.onProposal(frame.proposal);
        return this.outbox.update(frame.id, () => ({ proposal: frame.proposal.number }));
      case "reply":
        this.#listener.onReply(frame.command);
        return this.outbox.remove(frame.id);
      case "error":
        if (frame.id) this.outbox.update(frame.id, () => ({ problem: frame.problem }));
        return;
      case "event":
        if (this.#lastSeq !== undefined && frame.seq <= this.#lastSeq) return;
        this.#lastSeq = frame.seq;
        return this.#listener.onEvent(frame);
      case "pong":
        return;
    }
  }
}

function openSocket(): WebSocket {
  const url = new URL("/api/v1/ws", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url);
}
