import { type FormEvent, useState } from "react";
import { ROLES, type Role } from "@/shared/api/roles";
import type { Project, Rule } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { Dialog, DialogActions } from "@/shared/ui/dialog";
import { CheckField, FieldGroup, SelectField, TextField } from "@/shared/ui/field";
import { FIELDS, fieldName, needs, TRUST, when } from "./words";

interface RuleDialogProps {
  /** The rule to change, or null for a new one. */
  rule: Rule | null;
  /** What the other rules are called. */
  taken: string[];
  projects: Project[];
  onDone: (rule: Rule) => void;
  onClose: () => void;
}

type Own = NonNullable<NonNullable<Rule["require"]>["own"]>;
type Field = NonNullable<NonNullable<Rule["when"]>["fields"]>[number];
type Trust = keyof typeof TRUST;

const APPROVERS = ["owner", "admin", "member"] as const;

/** One rule: which proposals it is for, and whose approvals those need. */
export function RuleDialog({ rule, taken, projects, onDone, onClose }: RuleDialogProps) {
  const [shown, setShown] = useState<Rule>(rule ?? { name: "", require: { approvals: 1, own: "counts" } });
  const [fault, setFault] = useState<string>();
  const read = (form: HTMLFormElement): Rule => {
    const data = new FormData(form);
    const number = (name: string) => (data.get(name) ? Number(data.get(name)) : undefined);
    const list = <T extends string>(name: string) => {
      const values = data.getAll(name).map(String) as T[];
      return values.length ? values : undefined;
    };
    // What the form does not show is kept as it is.
    const more = { origins: rule?.when?.origins };
    return {
      name: String(data.get("name")).trim(),
      when: {
        ...more,
        min_deletes: number("min_deletes"),
        min_operations: number("min_operations"),
        fields: list<Field>("fields"),
        projects: list<string>("projects"),
        authors: list<Role>("authors"),
        trust: list<Trust>("trust"),
      },
      require: {
        approvals: number("approvals") ?? 1,
        own: String(data.get("own")) as Own,
        by: list<Role>("by"),
        remind_after_days: number("remind_after_days"),
        expire_after_days: number("expire_after_days"),
      },
    };
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const made = read(event.currentTarget);
    if (taken.includes(made.name.toLowerCase())) return setFault("Another rule has this name");
    onDone(made);
  };
  const condition = rule?.when;
  const require = rule?.require;
  return (
    <Dialog
      open
      onClose={onClose}
      title={rule ? `Change ${rule.name}` : "A new rule"}
      size="large"
      insists
      testId="rule"
    >
      <form
        onSubmit={submit}
        onChange={(event) => {
          setFault(undefined);
          setShown(read(event.currentTarget));
        }}
        className="space-y-5"
      >
        <TextField label="Name" name="name" required maxLength={80} autoFocus defaultValue={rule?.name} error={fault} />
        <div className="grid gap-4 sm:grid-cols-2">
          <NumberField
            label="Removes so many tasks, or more"
            name="min_deletes"
            max={500}
            value={condition?.min_deletes}
            none="it does not matter"
          />
          <NumberField
            label="Has so many operations, or more"
            name="min_operations"
            max={500}
            value={condition?.min_operations}
            none="it does not matter"
          />
        </div>
        <details open={Boolean(condition?.fields?.length || condition?.projects?.length || condition?.trust?.length)}>
          <summary className="font-medium text-ink-soft text-sm">Only for some fields, projects or sources</summary>
          <div className="mt-3 grid gap-5 sm:grid-cols-2">
            <CheckGroup
              label="Changes one of"
              name="fields"
              values={FIELDS}
              chosen={condition?.fields}
              title={fieldName}
            />
            <div className="space-y-5">
              {projects.length > 0 && (
                <CheckGroup
                  label="Is for one of"
                  name="projects"
                  values={projects.map(({ key }) => key)}
                  chosen={condition?.projects}
                  meaning={(key) => projects.find((project) => project.key === key)?.title}
                />
              )}
              <CheckGroup
                label="Comes from a source that is"
                name="trust"
                values={Object.keys(TRUST) as Trust[]}
                chosen={condition?.trust}
                title={(trust) => TRUST[trust]}
              />
            </div>
          </div>
        </details>
        <CheckGroup
          label="Is by somebody who is"
          name="authors"
          values={Object.keys(ROLES) as Role[]}
          chosen={condition?.authors}
          title={(role) => ROLES[role].title}
          inline
        />
        <hr className="border-line" />
        <div className="grid gap-4 sm:grid-cols-2">
          <NumberField label="Approvals" name="approvals" max={10} value={require?.approvals ?? 1} required />
          <SelectField label="Its author's own approval" name="own" defaultValue={require?.own ?? "counts"}>
            <option value="counts">counts like any other</option>
            <option value="if_alone">counts if nobody else could approve</option>
            <option value="never">never counts</option>
          </SelectField>
          <NumberField
            label="Reminded of after so many days"
            name="remind_after_days"
            max={365}
            value={require?.remind_after_days}
            none="never"
          />
          <NumberField
            label="Expires after so many days"
            name="expire_after_days"
            max={365}
            value={require?.expire_after_days}
            none="never"
          />
        </div>
        <CheckGroup
          label="Only approvals count of"
          name="by"
          values={APPROVERS}
          chosen={require?.by}
          title={(role) => `${ROLES[role].title}s`}
          inline
        />
        <p className="rounded-md bg-sunken px-3 py-2 text-ink-soft text-sm" aria-live="polite">
          {when(shown)} {needs(shown)}.
        </p>
        <DialogActions>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" type="submit">
            {rule ? "Change" : "Add"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface NumberFieldProps {
  label: string;
  name: string;
  max: number;
  value: number | null | undefined;
  /** What it means where it is empty; without it, it may not be. */
  none?: string;
  required?: boolean;
}

function NumberField({ value, none, ...props }: NumberFieldProps) {
  return (
    <TextField
      {...props}
      type="number"
      min={1}
      defaultValue={value ?? ""}
      hint={none === undefined ? undefined : `Empty: ${none}.`}
    />
  );
}

interface CheckGroupProps<T extends string> {
  label: string;
  name: string;
  values: readonly T[];
  chosen: readonly string[] | null | undefined;
  title?: (value: T) => string;
  meaning?: (value: T) => string | undefined;
  /** Beside one another, where they are short. */
  inline?: boolean;
}

function CheckGroup<T extends string>({ label, name, values, chosen, title, meaning, inline }: CheckGroupProps<T>) {
  return (
    <FieldGroup label={label}>
      <div className={inline ? "flex flex-wrap gap-x-4 gap-y-1.5" : "space-y-1.5"}>
        {values.map((value) => (
          <CheckField
            key={value}
            label={title?.(value) ?? value}
            meaning={meaning?.(value)}
            name={name}
            value={value}
            defaultChecked={chosen?.includes(value)}
          />
        ))}
      </div>
    </FieldGroup>
  );
}
