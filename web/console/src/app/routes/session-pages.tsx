import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { SignInPage } from "@/features/session/sign-in-page";
import { WelcomePage } from "@/features/session/welcome-page";
import { useTitle } from "@/shared/lib/use-title";

export function SignInRoute() {
  useTitle("Sign in");
  const { to } = useSearch({ from: "/sign-in" });
  const { history } = useRouter();
  // Only a page of ours: a link must not send anybody elsewhere after signing in.
  const target = to?.startsWith("/") && !to.startsWith("//") ? to : "/";
  return <SignInPage onSignedIn={() => history.push(target)} />;
}

export function WelcomeRoute() {
  useTitle("Welcome");
  const { t } = useSearch({ from: "/welcome" });
  const navigate = useNavigate();
  return <WelcomePage token={t} onSignedIn={() => void navigate({ to: "/" })} />;
}
