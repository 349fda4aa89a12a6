import { expect, test } from "vitest";
import { fieldOf, type JsonSchema, readInput, shown } from "@/shared/lib/json-schema";

const schema: JsonSchema = {
  properties: {
    prompt: { type: "string", maxLength: 4000 },
    title: { type: ["string", "null"], maxLength: 200 },
    facts: { type: "object", additionalProperties: { type: "string" } },
    count: { type: "integer", minimum: 1, maximum: 10, default: 3 },
    format: { type: "string", enum: ["md", "csv"] },
    loud: { type: "boolean" },
    body: {},
  },
  required: ["prompt"],
};

const form = (fields: Record<string, string>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
};

test("a value is asked for as its schema says", () => {
  const kinds = Object.values(schema.properties ?? {}).map((property) => fieldOf(property).kind);
  expect(kinds).toEqual(["text", "line", "pairs", "number", "choice", "flag", "json"]);
});

test("what is written becomes the input, and what is empty is left out", () => {
  const { input, faults } = readInput(
    schema,
    form({ prompt: " Write\n", title: "", facts: "Date: 1:30 pm\n\nPlace: Kolkata", count: "2", body: '{"a":[1]}' }),
  );
  expect(faults).toEqual({});
  expect(input).toEqual({
    prompt: " Write\n",
    facts: { Date: "1:30 pm", Place: "Kolkata" },
    count: 2,
    loud: false,
    body: { a: [1] },
  });
});

test("what cannot be read is said at its field", () => {
  const { faults } = readInput(schema, form({ facts: "Date", body: "{" }));
  expect(faults.prompt).toBe("This is needed.");
  expect(faults.facts).toBe("“Date” is no “name: value”.");
  expect(faults.body).toBeTruthy();
});

test("what is shown is read back as it was", () => {
  const facts = { Date: "1 December", Place: "Kolkata" };
  const text = shown({ kind: "pairs" }, facts);
  expect(readInput(schema, form({ prompt: "x", facts: text })).input.facts).toEqual(facts);
  expect(shown({ kind: "line" }, null)).toBe("");
});
