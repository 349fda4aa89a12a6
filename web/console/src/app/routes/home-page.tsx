import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { Composer } from "@/features/conversation/composer";
import { projectsQuery } from "@/features/projects/api/projects";
import { ProjectList } from "@/features/projects/project-list";
import { useTitle } from "@/shared/lib/use-title";
import { useLive } from "@/shared/live/live-context";
import { Button } from "@/shared/ui/button";
import { ErrorState, SkeletonLines } from "@/shared/ui/states";
import { PageBody, PageTitle } from "../page";

const IDEAS = [
  "Build a new sign-in flow. We need the schema, the form, password reset by mail, and tests.",
  "Organise the summer party by 20 June",
  "Migrate the billing service to Postgres",
];

/** The projects; for a newcomer the one question that matters. */
export function HomePage() {
  useTitle("Projects");
  const projects = useQuery(projectsQuery);
  if (projects.isPending)
    return (
      <PageBody>
        <PageTitle title="Projects" />
        <SkeletonLines label="Loading the projects" widths={["w-1/4", "w-2/3", "w-1/2", "w-3/5"]} />
      </PageBody>
    );
  if (projects.isError)
    return (
      <ErrorState error={projects.error} title="The projects could not be loaded" onRetry={() => projects.refetch()} />
    );
  if (projects.data.length === 0) return <FirstProject />;
  return (
    <PageBody>
      <PageTitle
        title="Projects"
        action={
          <Button asChild look="primary">
            <Link to="/new">
              <Plus className="size-4" aria-hidden="true" /> New project
            </Link>
          </Button>
        }
      />
      <ProjectList projects={projects.data} />
    </PageBody>
  );
}

function FirstProject() {
  const live = useLive();
  const navigate = useNavigate();
  const send = (text: string) => {
    live.send({ text });
    void navigate({ to: "/new" });
  };
  return (
    <div className="mx-auto flex min-h-full max-w-2xl flex-col justify-center px-4 py-12 sm:px-8">
      <h1 className="font-semibold text-2xl tracking-tight">What do you want to achieve?</h1>
      <p className="mt-1.5 mb-5 text-ink-soft">
        Write it as you would to a colleague. You get a plan as a proposal, change it by talking, and nothing happens
        before you accept it.
      </p>
      <Composer placeholder="What do you want to achieve?" onSend={send} draftKey="new" large autoFocus />
      <h2 className="mt-8 mb-2 text-ink-mute text-xs">Or begin with one of these</h2>
      <ul className="space-y-1.5">
        {IDEAS.map((idea) => (
          <li key={idea}>
            <button
              type="button"
              onClick={() => send(idea)}
              className="w-full rounded-lg border border-line bg-surface px-3.5 py-2.5 text-left text-sm transition-colors hover:border-line-strong hover:bg-hover"
            >
              {idea}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
