import { useQuery } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { toast } from "sonner";
import { faultsByField } from "@/shared/api/problem";
import type { NotificationPreferences } from "@/shared/api/types";
import { Button } from "@/shared/ui/button";
import { CheckField, FormFaults, SelectField, TextField } from "@/shared/ui/field";
import { SectionHeader } from "@/shared/ui/section";
import { ErrorState, SkeletonLines } from "@/shared/ui/states";
import { preferencesQuery, useSetPreferences } from "./api/notifications";

type Kinds = Required<NotificationPreferences["kinds"]>;
type How = Kinds["review"];

const KINDS: { kind: keyof Kinds; title: string }[] = [
  { kind: "review", title: "A review is wanted from me" },
  { kind: "mentioned", title: "Somebody mentions me" },
  { kind: "assigned", title: "A task becomes mine" },
  { kind: "decided", title: "My proposal is decided, refined or commented on" },
  { kind: "due", title: "A task of mine is due" },
  { kind: "failed", title: "A job of mine fails" },
  { kind: "subscribed", title: "Something happens in a project that I subscribed to" },
];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** What one wants to hear of, and when. */
export function Preferences({ timeZone }: { timeZone: string }) {
  const preferences = useQuery(preferencesQuery);
  return (
    <section aria-labelledby="notifications">
      <SectionHeader
        id="notifications"
        title="Notifications"
        lead="In the console, and on the channels where you are known. You never hear of your own doing."
      />
      {preferences.isPending ? (
        <SkeletonLines label="Loading how you are told" widths={["w-1/2", "w-2/3"]} />
      ) : preferences.isError ? (
        <ErrorState
          error={preferences.error}
          title="How you are told could not be loaded"
          onRetry={() => preferences.refetch()}
        />
      ) : (
        <Form key={JSON.stringify(preferences.data)} preferences={preferences.data} timeZone={timeZone} />
      )}
    </section>
  );
}

function Form({ preferences, timeZone }: { preferences: NotificationPreferences; timeZone: string }) {
  const set = useSetPreferences();
  const faults = set.error
    ? faultsByField(set.error, ["digest_hour", "quiet"])
    : { at: {} as Record<string, string>, rest: [] };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "").trim();
    const names = (name: string) =>
      text(name)
        .toUpperCase()
        .split(/[\s,]+/)
        .filter(Boolean);
    const kinds = Object.fromEntries(KINDS.map(({ kind }) => [kind, text(kind) as How])) as Kinds;
    const [from, to] = [text("from"), text("to")];
    set.mutate(
      {
        kinds,
        quiet: from && to ? { from, to } : null,
        digest_hour: Number(text("digest_hour")),
        muted: form.get("muted") === "on",
        mutes: names("mutes"),
        subscriptions: names("subscriptions"),
      },
      { onSuccess: () => toast.success("That is how you are told.") },
    );
  };
  return (
    <form
      onSubmit={submit}
      className="space-y-5 rounded-xl border border-line bg-surface p-4"
      data-testid="notification-preferences"
    >
      <div className="grid gap-3 sm:grid-cols-2">
        {KINDS.map(({ kind, title }) => (
          <SelectField key={kind} label={title} name={kind} defaultValue={preferences.kinds[kind]}>
            <option value="now">At once</option>
            <option value="digest">Once a day</option>
            <option value="off">Never</option>
          </SelectField>
        ))}
        <SelectField
          label="Once a day is at"
          name="digest_hour"
          defaultValue={preferences.digest_hour}
          error={faults.at.digest_hour}
          hint={`In your time zone, ${timeZone}`}
        >
          {HOURS.map((hour) => (
            <option key={hour} value={hour}>
              {String(hour).padStart(2, "0")}:00
            </option>
          ))}
        </SelectField>
      </div>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="Quiet from"
          name="from"
          type="time"
          defaultValue={preferences.quiet?.from ?? ""}
          error={faults.at.quiet}
          hint="What falls into the quiet hours is sent when they end."
        />
        <TextField label="Quiet to" name="to" type="time" defaultValue={preferences.quiet?.to ?? ""} />
        <TextField
          label="Projects and proposals to hear nothing of"
          name="mutes"
          placeholder="WEB, #12"
          defaultValue={preferences.mutes.join(", ")}
        />
        <TextField
          label="Projects to hear everything of"
          name="subscriptions"
          placeholder="WEB"
          defaultValue={preferences.subscriptions.join(", ")}
        />
      </div>
      <CheckField
        label="Mute"
        meaning="Hear nothing at all, until you untick this."
        name="muted"
        defaultChecked={preferences.muted}
      />
      <FormFaults faults={faults.rest} />
      <Button look="primary" type="submit" busy={set.isPending}>
        Save
      </Button>
    </form>
  );
}
