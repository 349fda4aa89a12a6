import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live, type LiveListener } from "@/shared/live/live";

/** A socket that the test opens, closes and answers by hand. */
class FakeSocket {
  readyState = 0;
  sent: { type: string; id?: string; since?: number }[] = [];
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  send = (data: string) => void this.sent.push(JSON.parse(data));
  close = () => {};
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  dies() {
    this.readyState = 3;
    this.onclose?.();
  }
  says = (frame: object) => this.onmessage?.({ data: JSON.stringify(frame) });
}

let sockets: FakeSocket[] = [];
const listener = (): LiveListener => ({
  onReply: vi.fn(),
  onProposal: vi.fn(),
  onEvent: vi.fn(),
  onFirstOpen: vi.fn(),
  onTrouble: vi.fn(),
});
const start = (heard = listener()) => {
  const live = new Live(heard, () => {
    sockets.push(new FakeSocket());
    return sockets.at(-1) as unknown as WebSocket;
  });
  live.start();
  return { live, heard };
};
const latest = () => sockets.at(-1) as FakeSocket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", { OPEN: 1 });
});
afterEach(() => {
  sockets = [];
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a message written while there is no connection goes out when there is one", () => {
  const { live } = start();
  const id = live.send({ text: "hello" });
  expect(latest().sent).toEqual([]);
  latest().opens();
  expect(
    latest()
      .sent.filter(({ type }) => type === "command")
      .map((frame) => frame.id),
  ).toEqual([id]);
});

test("a lost connection sends again what has no answer, and asks for the events since the last", () => {
  const { live, heard } = start();
  latest().opens();
  const id = live.send({ text: "hello" });
  latest().says({ type: "ack", id, command: "01" });
  latest().says({ type: "event", seq: 7, ts: "", event: "project.changed", actor: null, target: null, details: {} });
  latest().dies();
  vi.advanceTimersByTime(1000);
  latest().opens();
  expect(sockets).toHaveLength(2);
  expect(latest().sent.map(({ type, since, id: sent }) => [type, type === "subscribe" ? since : sent])).toEqual([
    ["subscribe", 7],
    ["command", id],
  ]);
  latest().says({ type: "event", seq: 7, ts: "", event: "project.changed", actor: null, target: null, details: {} });
  expect(heard.onEvent).toHaveBeenCalledTimes(1);
  latest().says({ type: "reply", id, command: { id: "01" } });
  expect(live.outbox.items()).toEqual([]);
});

test("a dead connection is noticed by its silence", () => {
  start();
  latest().opens();
  vi.advanceTimersByTime(26_000);
  expect(latest().sent.at(-1)?.type).toBe("ping");
  vi.advanceTimersByTime(11_000);
  expect(sockets.length).toBeGreaterThan(1);
});
