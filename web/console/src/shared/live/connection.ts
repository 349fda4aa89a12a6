import type { ClientFrame, ServerFrame } from "./frames";

export type ConnectionStatus = "connecting" | "open" | "reconnecting" | "closed";

export interface ConnectionOptions {
  open: () => WebSocket;
  onFrame: (frame: ServerFrame) => void;
  /** Called at each opening, before anything else is sent: the place to subscribe and to resend. */
  onOpen: () => void;
  onStatus: (status: ConnectionStatus, attempt: number) => void;
}

const FIRST_RETRY_MS = 400;
const LONGEST_RETRY_MS = 15_000;
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 10_000;

/**
 * One WebSocket that comes back: exponential backoff with jitter, at once when the browser says it is online again, and a ping that notices
 * a connection which is dead without having been closed. It keeps no messages: what must survive is the {@link Outbox}'s to resend.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #stopped = true;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #pongTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  start() {
    if (!this.#stopped) return;
    this.#stopped = false;
    window.addEventListener("online", this.#retryNow);
    this.#options.onStatus("connecting", 0);
    this.#open();
  }

  stop() {
    this.#stopped = true;
    window.removeEventListener("online", this.#retryNow);
    this.#drop();
    this.#options.onStatus("closed", 0);
  }

  /** Sends now or not at all. */
  post(frame: ClientFrame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #open() {
    const socket = this.#options.open();
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.#options.onStatus("open", 0);
      this.#options.onOpen();
      this.#expectLife();
    };
    socket.onmessage = (message) => {
      this.#expectLife();
      const frame = parse(message.data);
      if (frame) this.#options.onFrame(frame);
    };
    socket.onclose = () => this.#retryLater();
  }

  #retryLater() {
    this.#drop();
    if (this.#stopped) return;
    this.#attempt += 1;
    this.#options.onStatus("reconnecting", this.#attempt);
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#attempt - 1));
    this.#retryTimer = setTimeout(() => this.#open(), longest * (0.5 + Math.random() / 2));
  }

  #retryNow = () => {
    if (this.#stopped || this.#socket?.readyState === WebSocket.OPEN) return;
    this.#drop();
    this.#open();
  };

  /** Any frame proves life; after a silence we ask, and an unanswered question ends the connection. */
  #expectLife() {
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#pongTimer);
    this.#pingTimer = setTimeout(() => {
      this.post({ type: "ping" });
      this.#pongTimer = setTimeout(() => this.#retryLater(), PONG_WITHIN_MS);
    }, PING_EVERY_MS);
  }

  #drop() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#pongTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}

function parse(data: unknown): ServerFrame | null {
  if (typeof data !== "string") return null;
  try {
    return JSON.parse(data) as ServerFrame;
  } catch {
    return null;
  }
}
