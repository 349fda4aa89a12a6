import { useQuery } from "@tanstack/react-query";
import { membersQuery } from "@/shared/api/members";
import { faultsByField } from "@/shared/api/problem";
import type { Tagged } from "@/shared/api/tagged";
import type { NewTrigger, Project, Trigger, TriggerTried } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { Dialog } from "@/shared/ui/dialog";
import { FormFaults, SelectField, TextArea, TextField } from "@/shared/ui/field";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { ProjectField } from "@/shared/ui/project-field";
import { useSaveTrigger, useTryTrigger } from "./api/triggers";

interface TriggerDialogProps {
  /** The trigger that gets its next version; null for a new one. */
  trigger: Tagged<Trigger> | null;
  /** What stands in the fields, where that is another version. */
  from?: Trigger;
  projects: Project[];
  me: string;
  onClose: () => void;
}

const FIELDS = ["name", "event", "condition", "template", "project", "member", "max_depth", "max_per_hour"] as const;
const TRIED = ["event", "condition", "template"] as const;

/** What is to follow from what happens; tried out on what has happened, without an effect, until it is right. */
export function TriggerDialog({ trigger, from = trigger ?? undefined, projects, me, onClose }: TriggerDialogProps) {
  const attempt = useTryTrigger();
  const agents = (useQuery(membersQuery).data ?? []).filter(({ role, handle }) => role === "agent" || handle === me);
  const refusedTry = attempt.error ? faultsByField(attempt.error, TRIED) : { at: {}, rest: [] };
  const tried = (form: FormData) => ({
    event: text(form, "event") ?? "",
    condition: text(form, "condition"),
    makes: form.get("makes") === "command" ? ("command" as const) : ("plan" as const),
    template: String(form.get("template")),
  });
  const read = (form: FormData): NewTrigger => ({
    ...tried(form),
    name: text(form, "name") ?? "",
    project: text(form, "project"),
    member: text(form, "member"),
    max_depth: Number(form.get("max_depth")),
    max_per_hour: Number(form.get("max_per_hour")),
    enabled: trigger?.enabled ?? true,
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={trigger ? `Change ${trigger.name}` : "A new trigger"}
      size="large"
      insists
      testId="trigger"
    >
      <MutationForm
        mutation={useSaveTrigger(trigger)}
        fields={FIELDS}
        read={read}
        onDone={onClose}
        onClose={onClose}
        verb={trigger ? `Make version ${trigger.version + 1}` : "Add the trigger"}
        actions={
          <Button
            busy={attempt.isPending}
            onClick={(event) => {
              const { form } = event.currentTarget;
              if (form) attempt.mutate(tried(new FormData(form)));
            }}
          >
            Try it
          </Button>
        }
      >
        {(refused) => {
          const faults = { ...refusedTry.at, ...refused };
          return (
            <>
              <div className="grid gap-4 sm:grid-cols-2">
                <TextField
                  label="Name"
                  name="name"
                  maxLength={100}
                  autoComplete="off"
                  autoFocus
                  defaultValue={from?.name ?? ""}
                  error={faults.name}
                />
                <TextField
                  label="When"
                  name="event"
                  maxLength={100}
                  autoComplete="off"
                  className="font-mono"
                  placeholder="webhook.received"
                  defaultValue={from?.event ?? ""}
                  hint="An event of the log, or several: proposal.*"
                  error={faults.event}
                />
              </div>
              <TextField
                label="And"
                name="condition"
                maxLength={2000}
                autoComplete="off"
                className="font-mono"
                placeholder="@.payload.check_run.conclusion == 'failure'"
                defaultValue={from?.condition ?? ""}
                hint="Empty: always."
                error={faults.condition}
              />
              <SelectField label="Then it makes" name="makes" defaultValue={from?.makes ?? "plan"}>
                <option value="plan">a message to the planner: a proposal</option>
                <option value="command">commands, one a line</option>
              </SelectField>
              <TextArea
                label="Of this template"
                name="template"
                maxLength={10_000}
                spellCheck={false}
                className="font-mono text-xs"
                placeholder="- Fix {{ payload.check_run.name }}"
                defaultValue={from?.template ?? ""}
                error={faults.template}
              />
              <div className="grid gap-4 sm:grid-cols-2">
                <ProjectField
                  label="In"
                  none="no project of its own"
                  projects={projects}
                  chosen={from?.project}
                  error={faults.project}
                />
                <SelectField
                  key={agents.length}
                  label="As"
                  name="member"
                  defaultValue={from?.member ?? ""}
                  error={faults.member}
                >
                  <option value="">the automation of the organisation</option>
                  {agents.map(({ handle, name }) => (
                    <option key={handle} value={handle}>
                      {name}
                    </option>
                  ))}
                </SelectField>
                <TextField
                  label="At most so many times an hour"
                  name="max_per_hour"
                  type="number"
                  min={1}
                  max={1000}
                  defaultValue={from?.max_per_hour ?? 60}
                  error={faults.max_per_hour}
                />
                <TextField
                  label="After at most so many triggers in a row"
                  name="max_depth"
                  type="number"
                  min={1}
                  max={10}
                  defaultValue={from?.max_depth ?? 3}
                  hint="It holds back where they would go round and round."
                  error={faults.max_depth}
                />
              </div>
              <FormFaults faults={refusedTry.rest} />
              <div role="status">{attempt.data && <Tried all={attempt.data} />}</div>
            </>
          );
        }}
      </MutationForm>
    </Dialog>
  );
}

/** What would have followed from the newest events. */
function Tried({ all }: { all: TriggerTried[] }) {
  if (all.length === 0) {
    return (
      <p className="text-ink-soft text-sm">Nothing like that has happened yet, so there is nothing to try it on.</p>
    );
  }
  return (
    <div data-testid="tried">
      <p className="mb-1.5 text-ink-soft text-sm">
        On the newest {all.length === 1 ? "event" : `${all.length} events`}; nothing is done.
      </p>
      <ol className="divide-y divide-line rounded-lg border border-line">
        {all.map((tried) => (
          <li key={tried.seq} className="space-y-1 px-3 py-2">
            <p className="flex flex-wrap gap-x-2 text-xs">
              <span className="font-mono">{tried.event}</span>
              <span className="min-w-0 break-words text-ink-soft">
                {tried.actor} · {tried.target}
              </span>
              <span className="text-ink-mute" title={fullTime(tried.at)}>
                {relativeTime(tried.at)}
              </span>
            </p>
            {tried.text === null ? (
              <p className="text-ink-mute text-xs">Nothing: {tried.why}.</p>
            ) : (
              <pre className="max-h-32 overflow-y-auto whitespace-pre-wrap break-words rounded bg-sunken p-2 font-mono text-xs">
                {tried.text}
              </pre>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
