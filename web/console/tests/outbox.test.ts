import { expect, test } from "vitest";
import type { CommandFrame } from "@/shared/live/frames";
import { Outbox } from "@/shared/live/outbox";

const frame = (id: string): CommandFrame => ({ id, type: "command", text: `text of ${id}` });

test("what has no outcome goes out again under the same id, also after a reload", () => {
  const outbox = new Outbox();
  outbox.add(frame("a"));
  outbox.add(frame("b"));
  outbox.update("a", () => ({ command: "01", streamedText: "half an ans" }));
  expect(outbox.resend().map(({ id }) => id)).toEqual(["a", "b"]);
  expect(outbox.items()[0]?.streamedText).toBe("");

  const reloaded = new Outbox();
  expect(reloaded.resend().map(({ id, text }) => `${id}: ${text}`)).toEqual(["a: text of a", "b: text of b"]);
});

test("what was answered or refused does not go out again", () => {
  const outbox = new Outbox();
  outbox.add(frame("answered"));
  outbox.add(frame("refused"));
  outbox.remove("answered");
  outbox.update("refused", () => ({ problem: { type: "about:blank", title: "No", status: 422 } }));
  expect(outbox.resend()).toEqual([]);
  expect(outbox.items().map(({ frame: { id } }) => id)).toEqual(["refused"]);
});
