import { type Field, fieldOf, type JsonSchema, shown, titleOf } from "../lib/json-schema";
import { CheckField, SelectField, TextArea, TextField } from "./field";

interface SchemaFieldsProps {
  schema: JsonSchema;
  /** What stands in them at first. */
  values?: Record<string, unknown>;
  faults: Record<string, string>;
  /** What there is to choose from, by field, where the schema does not say. */
  options?: Record<string, { value: string; title: string }[]>;
}

/** The fields of a JSON Schema's object, in a form: read back with {@link readInput}. */
export function SchemaFields({ schema, values, faults, options }: SchemaFieldsProps) {
  return inOrder(schema).map(([name, property]) => {
    const field = fieldOf(property);
    const isRequired = schema.required?.includes(name) ?? false;
    const common = {
      name,
      label: titleOf(name),
      hint: hintOf(property, isRequired),
      error: faults[name],
      defaultValue: shown(field, values?.[name] ?? property.default),
      autoComplete: "off",
    };
    const choices =
      options?.[name] ??
      (field.kind === "choice" ? field.values.map((value) => ({ value, title: titleOf(value) })) : undefined);
    if (choices) {
      return (
        <SelectField key={name} {...common}>
          {!isRequired && <option value="">—</option>}
          {choices.map(({ value, title }) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </SelectField>
      );
    }
    switch (field.kind) {
      case "flag":
        return (
          <CheckField
            key={name}
            name={name}
            label={common.label}
            meaning={common.hint}
            defaultChecked={(values?.[name] ?? property.default) === true}
          />
        );
      case "number":
        return (
          <TextField
            key={name}
            {...common}
            type="number"
            min={field.min}
            max={field.max}
            step={field.whole ? 1 : "any"}
          />
        );
      case "line":
        return <TextField key={name} {...common} />;
      case "pairs":
        return <TextArea key={name} {...common} placeholder="Date: 1 December" />;
      case "json":
        return <TextArea key={name} {...common} spellCheck={false} className="font-mono text-xs" placeholder="{}" />;
      default:
        return <TextArea key={name} {...common} />;
    }
  });
}

const ORDER: Field["kind"][] = ["line", "choice", "text", "pairs", "json", "number", "flag"];

/** A schema has no order: what is needed comes first, and what is short before what is long. */
function inOrder({ properties = {}, required = [] }: JsonSchema): [string, JsonSchema][] {
  const place = ([name, property]: [string, JsonSchema]) =>
    (required.includes(name) ? 0 : ORDER.length) + ORDER.indexOf(fieldOf(property).kind);
  return Object.entries(properties).sort((one, other) => place(one) - place(other));
}

function hintOf(schema: JsonSchema, isRequired: boolean): string | undefined {
  const said = schema.description?.split("\n")[0]?.replaceAll("`", "");
  const kind = { pairs: "One a line, as “name: value”.", json: "JSON." }[fieldOf(schema).kind as string];
  const parts = [said, kind, isRequired ? undefined : "It may be left empty."];
  return parts.filter(Boolean).join(" ") || undefined;
}
