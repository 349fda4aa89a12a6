/** A tool's input, described by as much of JSON Schema as its fields need. */
export interface JsonSchema {
  type?: string | string[];
  description?: string;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: JsonSchema | boolean;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

/** How a value is asked for; `json` is what no field of ours knows. */
export type Field =
  | { kind: "choice"; values: string[] }
  | { kind: "flag" }
  | { kind: "number"; min?: number; max?: number; whole: boolean }
  | { kind: "line" | "text" | "pairs" | "json" };

/** The longest text that is asked for on one line, in characters. */
const LINE = 2_000;

export function fieldOf(schema: JsonSchema): Field {
  const types = [schema.type ?? []].flat().filter((type) => type !== "null");
  const type = types.length === 1 ? types[0] : undefined;
  if (schema.enum) return { kind: "choice", values: schema.enum.filter((value) => typeof value === "string") };
  if (type === "boolean") return { kind: "flag" };
  if (type === "integer" || type === "number") {
    return { kind: "number", min: schema.minimum, max: schema.maximum, whole: type === "integer" };
  }
  if (type === "string") return { kind: (schema.maxLength ?? Number.POSITIVE_INFINITY) > LINE ? "text" : "line" };
  const { additionalProperties: values } = schema;
  if (type === "object" && !schema.properties && typeof values === "object" && values.type === "string") {
    return { kind: "pairs" };
  }
  return { kind: "json" };
}

/** A value as its field shows it. */
export function shown(field: Field, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (field.kind === "pairs") {
    return Object.entries(value as Record<string, string>)
      .map(([name, text]) => `${name}: ${text}`)
      .join("\n");
  }
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

/** An input as a form has it, and what is wrong with it by field. What is left empty is left out. */
export function readInput(
  schema: JsonSchema,
  form: FormData,
): { input: Record<string, unknown>; faults: Record<string, string> } {
  const input: Record<string, unknown> = {};
  const faults: Record<string, string> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const field = fieldOf(property);
    const text = String(form.get(name) ?? "");
    if (field.kind === "flag") {
      input[name] = text === "on";
    } else if (text.trim() === "") {
      if (schema.required?.includes(name)) faults[name] = "This is needed.";
    } else {
      try {
        input[name] = readValue(field, text);
      } catch (error) {
        faults[name] = error instanceof Error ? error.message : "This cannot be read.";
      }
    }
  }
  return { input, faults };
}

function readValue(field: Field, text: string): unknown {
  switch (field.kind) {
    case "number":
      return Number(text);
    case "json":
      return JSON.parse(text);
    case "pairs":
      return Object.fromEntries(
        text
          .split("\n")
          .filter((line) => line.trim() !== "")
          .map((line) => {
            const [, name, value] = /^([^:]+):(.*)$/.exec(line) ?? [];
            if (!name || value === undefined) throw new Error(`“${line.trim()}” is no “name: value”.`);
            return [name.trim(), value.trim()];
          }),
      );
    default:
      return field.kind === "line" ? text.trim() : text;
  }
}

/** What a field is called: `max_per_hour` is "Max per hour". */
export function titleOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
