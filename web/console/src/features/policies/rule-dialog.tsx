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
          <TextField
            label="Removes so many tasks, or more"
            name="min_deletes"
            type="number"
            min={1}
            max={500}
            defaultValue={condition?.min_deletes ?? ""}
            hint="Empty: it does not matter."
          />
          <TextField
            label="Has so many operations, or more"
            name="min_operations"
            type="number"
            min={1}
            max={500}
            defaultValue={condition?.min_operations ?? ""}
            hint="Empty: it does not matter."
          />
        </div>
        <details open={Boolean(condition?.fields?.length || condition?.projects?.length || condition?.trust?.length)}>
          <summary className="font-medium text-ink-soft text-sm">Only for some fields, projects or sources</summary>
          <div className="mt-3 grid gap-5 sm:grid-cols-2">
            <FieldGroup label="Changes one of">
              {FIELDS.map((field) => (
                <CheckField
                  key={field}
                  label={fieldName(field)}
                  name="fields"
                  value={field}
                  defaultChecked={condition?.fields?.includes(field)}
                />
              ))}
            </FieldGroup>
            <div className="space-y-5">
              {projects.length > 0 && (
                <FieldGroup label="Is for one of">
                  {projects.map(({ key, title }) => (
                    <CheckField
                      key={key}
                      label={key}
                      meaning={title}
                      name="projects"
                      value={key}
                      defaultChecked={condition?.projects?.includes(key)}
                    />
                  ))}
                </FieldGroup>
              )}
              <FieldGroup label="Comes from a source that is">
                {(Object.keys(TRUST) as Trust[]).map((trust) => (
                  <CheckField
                    key={trust}
                    label={TRUST[trust]}
                    name="trust"
                    value={trust}
                    defaultChecked={condition?.trust?.includes(trust)}
                  />
                ))}
              </FieldGroup>
            </div>
          </div>
        </details>
        <FieldGroup label="Is by somebody who is">
          <div className="flex flex-wrap gap-x-4 gap-y-1.5">
            {(Object.keys(ROLES) as Role[]).map((role) => (
              <CheckField
                key={role}
                label={ROLES[role].title}
                name="authors"
                value={role}
                defaultChecked={condition?.authors?.includes(role)}
              />
            ))}
          </div>
        </FieldGroup>
        <hr className="border-line" />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label="Approvals"
            name="approvals"
            type="number"
            min={1}
            max={10}
            required
            defaultValue={require?.approvals ?? 1}
          />
          <SelectField label="Its author's own approval" name="own" defaultValue={require?.own ?? "counts"}>
            <option value="counts">counts like any other</option>
            <option value="if_alone">counts if nobody else could approve</option>
            <option value="never">never counts</option>
          </SelectField>
          <TextField
            label="Reminded of after so many days"
            name="remind_after_days"
            type="number"
            min={1}
            max={365}
            defaultValue={require?.remind_after_days ?? ""}
            hint="Empty: never."
          />
          <TextField
            label="Expires after so many days"
            name="expire_after_days"
            type="number"
            min={1}
            max={365}
            defaultValue={require?.expire_after_days ?? ""}
            hint="Empty: never."
          />
        </div>
        <FieldGroup label="Only approvals count of">
          <div className="flex flex-wrap gap-x-4 gap-y-1.5">
            {(["owner", "admin", "member"] as const).map((role) => (
              <CheckField
                key={role}
                label={`${ROLES[role].title}s`}
                name="by"
                value={role}
                defaultChecked={require?.by?.includes(role)}
              />
            ))}
          </div>
        </FieldGroup>
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
