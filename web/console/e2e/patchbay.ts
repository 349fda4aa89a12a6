import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = process.env.PATCHBAY_BIN ?? "../../target/debug/patchbay";

/** The real program on a directory of its own, which outlives a stop. */
export class Patchbay {
  readonly #dir = mkdtempSync(join(tmpdir(), "patchbay-browser-"));
  #process: ChildProcess | undefined;
  #output = "";
  url = "";

  constructor() {
    // Where the tests run as root, Postgres runs as somebody else.
    chmodSync(this.#dir, 0o755);
  }

  /** Starts, and gives the one-time link, where there is one. */
  async start(): Promise<string> {
    this.url ||= `http://127.0.0.1:${await freePort()}`;
    this.#output = "";
    const { DATABASE_URL: _database, OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, ...env } = process.env;
    const started = spawn(PROGRAM, ["serve", "--data-dir", this.#dir, "--listen", this.url.replace("http://", "")], {
      env,
    });
    this.#process = started;
    started.stdout.on("data", (data) => {
      this.#output += data;
    });
    started.stderr.on("data", (data) => {
      this.#output += data;
    });
    for (let tries = 0; tries < 300; tries += 1) {
      // Printed when all is ready; the link is only there while nobody has a password.
      if (/^Channels/m.test(this.#output)) return /(http:\S+\/welcome\?t=\S+)/.exec(this.#output)?.[1] ?? "";
      if (started.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Patchbay did not start:\n${this.#output}`);
  }

  /** Asks its API, as the owner by their key or as whoever has `key`; a body is posted. */
  async api(
    path: string,
    body?: object,
    { key = this.#ownerKey(), method = body ? "POST" : "GET", headers = {} as Record<string, string> } = {},
  ) {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  #ownerKey() {
    return readFileSync(join(this.#dir, "owner.key"), "utf8").trim();
  }

  /** What it printed and logged. */
  get output() {
    return this.#output;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM") {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await gone;
  }

  async end() {
    await this.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
