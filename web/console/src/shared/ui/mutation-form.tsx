import type { UseMutationResult } from "@tanstack/react-query";
import type { FormEvent, ReactNode } from "react";
import { faultsByField, isStatus } from "../api/problem";
import { Button } from "./button";
import { DialogActions } from "./dialog";
import { FormFaults } from "./field";

interface MutationFormProps<Input, Made> {
  mutation: Pick<UseMutationResult<Made, Error, Input>, "mutate" | "error" | "isPending">;
  /** The names of the fields, as the server calls them: its faults are shown there. */
  fields: readonly string[];
  /** What is asked for; null where something is wrong that the form itself shows. */
  read: (form: FormData) => Input | null;
  onDone: (made: Made) => void;
  onClose: () => void;
  /** The verb of the button: "Add the endpoint". */
  verb: string;
  children: (faults: Record<string, string>) => ReactNode;
  /** Further buttons, before the last. */
  actions?: ReactNode;
}

/** A form that asks the server for something and shows what it has against it. */
export function MutationForm<Input, Made>({
  mutation,
  fields,
  read,
  onDone,
  onClose,
  verb,
  children,
  actions,
}: MutationFormProps<Input, Made>) {
  const faults = faultsOf(mutation.error, fields);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const input = read(new FormData(event.currentTarget));
    if (input !== null) mutation.mutate(input, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit} noValidate className="space-y-3.5">
      {children(faults.at)}
      <FormFaults faults={faults.rest} />
      <DialogActions>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        {actions}
        <Button type="submit" look="primary" busy={mutation.isPending}>
          {verb}
        </Button>
      </DialogActions>
    </form>
  );
}

function faultsOf(error: Error | null, fields: readonly string[]): ReturnType<typeof faultsByField> {
  if (error === null) return { at: {}, rest: [] };
  if (isStatus(error, 412)) {
    const why = "Somebody changed it while you were writing. Close this, look at what it is now, and change that.";
    return { at: {}, rest: [why] };
  }
  return faultsByField(error, fields);
}

/** A field's text without blanks at its ends; null where it is empty. */
export function text(form: FormData, name: string): string | null {
  return String(form.get(name) ?? "").trim() || null;
}
