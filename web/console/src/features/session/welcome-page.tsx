import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { faultsByField, isStatus } from "@/shared/api/problem";
import { Button } from "@/shared/ui/button";
import { FormFaults, TextField } from "@/shared/ui/field";
import { ErrorState, Skeleton } from "@/shared/ui/states";
import { useAcceptWelcome } from "./api/accept-welcome";
import { welcomeQuery } from "./api/welcome";
import { AuthCard } from "./auth-card";

const FIELDS = ["name", "email", "password"] as const;

export function WelcomePage({ token, onSignedIn }: { token: string; onSignedIn: () => void }) {
  const welcome = useQuery(welcomeQuery(token));
  const accept = useAcceptWelcome();

  if (token === "" || isStatus(welcome.error, 410) || isStatus(welcome.error, 404) || isStatus(accept.error, 410))
    return <SpentLink />;
  if (welcome.error) {
    return (
      <AuthCard title="Welcome">
        <ErrorState error={welcome.error} title="The link could not be checked" onRetry={() => welcome.refetch()} />
      </AuthCard>
    );
  }
  if (!welcome.data) {
    return (
      <AuthCard title="Welcome">
        <div role="status" className="space-y-5">
          <span className="sr-only">Checking the link</span>
          <Skeleton className="h-9" />
          <Skeleton className="h-9" />
          <Skeleton className="h-10" />
        </div>
      </AuthCard>
    );
  }

  const { organization, member, needs_password } = welcome.data;
  const faults = accept.error
    ? faultsByField(accept.error, needs_password ? FIELDS : [])
    : { at: {} as Record<string, string>, rest: [] };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const details = needs_password
      ? { name: String(form.get("name")), email: String(form.get("email")), password: String(form.get("password")) }
      : {};
    accept.mutate({ token, ...details }, { onSuccess: onSignedIn });
  };

  return (
    <AuthCard
      title={needs_password ? "Welcome to Patchbay" : `Welcome back, ${member.name}`}
      lead={
        needs_password ? (
          <>
            Choose how you sign in to <b className="font-medium text-ink">{organization}</b> from now on.
          </>
        ) : (
          <>This link signs you in to {organization} once.</>
        )
      }
    >
      <form onSubmit={submit} noValidate className="space-y-4" data-testid="welcome-form">
        {needs_password && (
          <>
            <TextField
              label="Your name"
              name="name"
              autoComplete="name"
              autoFocus
              defaultValue={member.name}
              error={faults.at.name}
            />
            <TextField
              label="E-mail"
              name="email"
              type="email"
              autoComplete="username"
              defaultValue={member.email ?? ""}
              error={faults.at.email}
            />
            <TextField
              label="Password"
              name="password"
              type="password"
              autoComplete="new-password"
              hint="At least 10 characters."
              error={faults.at.password}
            />
          </>
        )}
        <FormFaults faults={faults.rest} />
        <Button
          type="submit"
          look="primary"
          size="large"
          className="w-full"
          busy={accept.isPending}
          autoFocus={!needs_password}
        >
          {needs_password ? "Start" : "Sign in"}
        </Button>
      </form>
    </AuthCard>
  );
}

function SpentLink() {
  return (
    <AuthCard
      title="This link has done its work"
      lead={
        <>
          A sign-in link works once and for fifteen minutes; this one was used or has expired. If you have a password,
          sign in with it. If not, run{" "}
          <code className="rounded bg-sunken px-1 font-mono text-xs">patchbay sign-in</code> where the server runs: it
          prints a new one.
        </>
      }
    >
      <Button asChild look="primary" size="large">
        <Link to="/sign-in">Sign in with a password</Link>
      </Button>
    </AuthCard>
  );
}
