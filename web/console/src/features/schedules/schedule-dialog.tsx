import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Tagged } from "@/shared/api/tagged";
import { toolsQuery } from "@/shared/api/tools";
import type { NewSchedule, Project, Schedule } from "@/shared/api/types";
import { type JsonSchema, readInput } from "@/shared/lib/json-schema";
import { timeZones } from "@/shared/lib/time";
import { useSettled } from "@/shared/lib/use-settled";
import { Button } from "@/shared/ui/button";
import { Choices } from "@/shared/ui/choices";
import { Dialog } from "@/shared/ui/dialog";
import { SelectField, TextArea, TextField } from "@/shared/ui/field";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { ProjectField } from "@/shared/ui/project-field";
import { ToolFields } from "@/shared/ui/tool-fields";
import { useSaveSchedule } from "./api/schedules";
import { Times } from "./times";
import { EXAMPLES, MISSED, OVERLAP } from "./words";

interface ScheduleDialogProps {
  /** The schedule to change; null for a new one. */
  schedule: Tagged<Schedule> | null;
  projects: Project[];
  timeZone: string;
  isAdmin: boolean;
  onClose: () => void;
}

type Kind = Schedule["action"]["kind"];

const KINDS: { value: Kind; title: string }[] = [
  { value: "command", title: "A command" },
  { value: "message", title: "A message to the planner" },
  { value: "job", title: "A job" },
];

/** Makes or changes a schedule; its next times are shown while its rule is written. */
export function ScheduleDialog({ schedule, projects, timeZone, isAdmin, onClose }: ScheduleDialogProps) {
  const [rule, setRule] = useState(schedule?.rule ?? "");
  const [zone, setZone] = useState(schedule?.zone ?? timeZone);
  const [kind, setKind] = useState<Kind>(schedule?.action.kind ?? "command");
  const [missed, setMissed] = useState<Schedule["missed"]>(schedule?.missed ?? "once");
  const [faults, setFaults] = useState<Record<string, string>>({});
  const known = schedule?.action;
  const tools = (useQuery(toolsQuery).data ?? []).filter(({ scope }) => isAdmin || scope !== "admin");
  const [toolName, setToolName] = useState(known?.kind === "job" ? known.tool : undefined);
  const tool = tools.find(({ name }) => name === toolName) ?? tools[0];
  const schema = tool?.input_schema as JsonSchema | undefined;

  const read = (form: FormData): NewSchedule | null => {
    const rest = {
      name: text(form, "name"),
      rule: rule.trim(),
      zone,
      missed,
      catch_up_limit: Number(form.get("catch_up_limit") ?? schedule?.catch_up_limit ?? 10),
      overlap: text(form, "overlap") as Schedule["overlap"],
    };
    if (kind !== "job") {
      setFaults({});
      return { ...rest, action: { kind, text: text(form, "text") ?? "", project: text(form, "project") } };
    }
    if (!tool || !schema) return null;
    const { input, faults } = readInput(schema, form);
    setFaults(faults);
    return Object.keys(faults).length > 0 ? null : { ...rest, action: { kind, tool: tool.name, input } };
  };
  const fields = [
    "name",
    "rule",
    "zone",
    "text",
    "catch_up_limit",
    ...Object.keys(schema?.properties ?? {}),
    "project",
  ];

  return (
    <Dialog
      open
      onClose={onClose}
      title={schedule ? `Change ${schedule.name}` : "A new schedule"}
      size="large"
      insists
      testId="schedule"
    >
      <MutationForm
        mutation={useSaveSchedule(schedule)}
        fields={fields}
        read={read}
        onDone={onClose}
        onClose={onClose}
        verb={schedule ? "Change the schedule" : "Make the schedule"}
      >
        {(refused) => (
          <>
            <div className="grid gap-4 sm:grid-cols-2">
              <div className="space-y-3.5">
                <div>
                  <TextArea
                    label="When"
                    value={rule}
                    rows={2}
                    autoFocus
                    spellCheck={false}
                    className="min-h-16"
                    error={refused.rule}
                    onChange={(event) => setRule(event.target.value)}
                  />
                  <p className="mt-1 text-ink-mute text-xs">For instance</p>
                  <div className="-ml-2.5 flex flex-wrap items-center">
                    {EXAMPLES.map((example) => (
                      <Button key={example.title} size="small" look="quiet" onClick={() => setRule(example.rule)}>
                        {example.title}
                      </Button>
                    ))}
                  </div>
                </div>
                <SelectField
                  label="On the clock of"
                  value={zone}
                  error={refused.zone}
                  onChange={(event) => setZone(event.target.value)}
                >
                  {timeZones(zone).map((name) => (
                    <option key={name}>{name}</option>
                  ))}
                </SelectField>
              </div>
              <section className="rounded-md bg-sunken px-3 py-2.5" aria-live="polite" aria-labelledby="next-times">
                <h3 id="next-times" className="mb-1.5 font-medium text-ink-soft text-sm">
                  Next times
                </h3>
                <Times rule={useSettled(rule)} zone={zone} />
              </section>
            </div>
            <hr className="border-line" />
            <Choices label="What it does" options={KINDS} value={kind} onChoose={setKind} />
            {kind === "job" ? (
              tool && (
                <ToolFields
                  tools={tools}
                  tool={tool}
                  onChoose={setToolName}
                  projects={projects}
                  values={known?.kind === "job" && known.tool === tool.name ? known.input : undefined}
                  faults={{ ...refused, ...faults }}
                />
              )
            ) : (
              <div className="grid gap-4 sm:grid-cols-[1fr_12rem]">
                <TextField
                  label={kind === "command" ? "Command" : "Message"}
                  name="text"
                  maxLength={4000}
                  autoComplete="off"
                  placeholder={kind === "command" ? "list overdue" : "Make a plan for the week"}
                  defaultValue={known && known.kind !== "job" ? known.text : ""}
                  error={refused.text}
                />
                <ProjectField
                  label="Project"
                  none="None"
                  projects={projects}
                  chosen={known && known.kind !== "job" ? known.project : null}
                  error={refused.project}
                />
              </div>
            )}
            <hr className="border-line" />
            <div className="grid gap-4 sm:grid-cols-2">
              <SelectField
                label="Times that were missed"
                value={missed}
                hint="Because Patchbay did not run."
                onChange={(event) => setMissed(event.target.value as Schedule["missed"])}
              >
                {Object.entries(MISSED).map(([value, title]) => (
                  <option key={value} value={value}>
                    {title}
                  </option>
                ))}
              </SelectField>
              {missed === "catch_up" && (
                <TextField
                  label="The newest so many of them"
                  name="catch_up_limit"
                  type="number"
                  min={1}
                  max={100}
                  defaultValue={schedule?.catch_up_limit ?? 10}
                  error={refused.catch_up_limit}
                />
              )}
              <SelectField
                label="While the run before is not over, the next"
                name="overlap"
                defaultValue={schedule?.overlap ?? "forbid"}
              >
                {Object.entries(OVERLAP).map(([value, title]) => (
                  <option key={value} value={value}>
                    {title}
                  </option>
                ))}
              </SelectField>
              <TextField
                label="Name"
                name="name"
                maxLength={200}
                autoComplete="off"
                defaultValue={schedule?.name ?? ""}
                hint="Empty: what it does."
                error={refused.name}
              />
            </div>
          </>
        )}
      </MutationForm>
    </Dialog>
  );
}
