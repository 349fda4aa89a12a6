import { type FormEvent, useRef } from "react";
import { toast } from "sonner";
import { faultsByField } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";
import { FormFaults, TextField } from "@/shared/ui/field";
import { useChangePassword } from "./api/change-password";

const FIELDS = ["current", "new"] as const;

export function PasswordForm({ email }: { email: string }) {
  const form = useRef<HTMLFormElement>(null);
  const change = useChangePassword();
  const faults = change.error ? faultsByField(change.error, FIELDS) : null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const values = new FormData(event.currentTarget);
    change.mutate(
      { current: String(values.get("current")), new: String(values.get("new")) },
      {
        onSuccess: () => {
          form.current?.reset();
          toast.success("Your password is changed.");
        },
      },
    );
  };
  return (
    <form ref={form} onSubmit={submit} noValidate className="max-w-sm space-y-3.5" data-testid="password-form">
      {/* For password managers, so that they know whose password it is. */}
      <input type="email" name="email" autoComplete="username" value={email} readOnly hidden />
      <TextField
        label="Present password"
        name="current"
        type="password"
        autoComplete="current-password"
        error={faults?.at.current}
      />
      <TextField
        label="New password"
        name="new"
        type="password"
        autoComplete="new-password"
        hint="At least 10 characters."
        error={faults?.at.new}
      />
      <FormFaults faults={faults?.rest ?? []} />
      <Button type="submit" busy={change.isPending}>
        Change the password
      </Button>
    </form>
  );
}
