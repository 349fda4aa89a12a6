import { type FormEvent, useRef } from "react";
import { faultsByField, isStatus } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";
import { FormFaults, TextField } from "@/shared/ui/field";
import { useSignIn } from "./api/sign-in";
import { AuthCard } from "./auth-card";

const FIELDS = ["email", "password"] as const;

export function SignInPage({ onSignedIn }: { onSignedIn: () => void }) {
  const signIn = useSignIn();
  const password = useRef<HTMLInputElement>(null);
  const refused = isStatus(signIn.error, 401);
  const faults =
    signIn.error && !refused ? faultsByField(signIn.error, FIELDS) : { at: {} as Record<string, string>, rest: [] };

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate(
      { email: String(form.get("email")), password: String(form.get("password")) },
      { onSuccess: onSignedIn, onError: () => password.current?.select() },
    );
  };

  return (
    <AuthCard title="Sign in to Patchbay">
      <form onSubmit={submit} noValidate className="space-y-4" data-testid="sign-in-form">
        <TextField
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          autoFocus
          required
          error={faults.at.email}
        />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          ref={password}
          required
          error={refused ? "The e-mail address and the password do not match." : faults.at.password}
        />
        <FormFaults faults={faults.rest} />
        <Button type="submit" look="primary" size="large" className="w-full" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
      <p className="mt-6 text-ink-mute text-xs">
        First time here, or no password? Whoever runs the server finds a one-time link in its output.
      </p>
    </AuthCard>
  );
}
