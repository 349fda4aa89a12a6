import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Agents } from "@/features/agents/agents";
import { Leases } from "@/features/agents/leases";
import { Ready } from "@/features/agents/ready";
import { projectsQuery } from "@/features/projects/api/projects";
import { isAdmin } from "@/shared/api/roles";
import { useTitle } from "@/shared/lib/use-title";
import { TabbedArea } from "../page";
import { useSession } from "../use-session";

export function AgentsLayout() {
  return (
    <TabbedArea
      title="Agents"
      tabs={[
        { to: "/agents", title: "Agents", exact: true },
        { to: "/agents/leases", title: "Leases" },
        { to: "/agents/ready", title: "Ready work" },
      ]}
    />
  );
}

export function AgentsPage() {
  useTitle("Agents");
  return <Agents />;
}

export function LeasesPage() {
  useTitle("Leases");
  const { handle, role } = useSession().member;
  return <Leases me={{ handle, isAdmin: isAdmin(role) }} />;
}

export function ReadyPage() {
  const { project } = useSearch({ from: "/signed-in/agents/ready" });
  useTitle("Ready work");
  const navigate = useNavigate();
  const projects = useQuery(projectsQuery);
  return (
    <Ready
      projects={projects.data ?? []}
      project={project}
      onChoose={(chosen) => void navigate({ to: "/agents/ready", search: chosen ? { project: chosen } : {} })}
    />
  );
}
