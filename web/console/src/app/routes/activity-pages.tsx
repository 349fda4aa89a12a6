import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { ScrollText } from "lucide-react";
import { Audit } from "@/features/activity/audit";
import { Events } from "@/features/activity/events";
import { projectsQuery } from "@/features/projects/api/projects";
import { isAdmin } from "@/shared/api/roles";
import { useTitle } from "@/shared/lib/use-title";
import { EmptyState } from "@/shared/ui/states";
import { TabbedArea } from "../page";
import { useSession } from "../use-session";

export function ActivityLayout() {
  const forAdmins = isAdmin(useSession().member.role);
  return (
    <TabbedArea
      title="Activity"
      tabs={[
        { to: "/activity", title: "Events", exact: true },
        ...(forAdmins ? [{ to: "/activity/audit", title: "Audit trail" } as const] : []),
      ]}
    />
  );
}

export function EventsPage() {
  const filter = useSearch({ from: "/signed-in/activity/" });
  useTitle("Activity");
  const navigate = useNavigate();
  const projects = useQuery(projectsQuery);
  return (
    <Events
      projects={projects.data ?? []}
      filter={filter}
      onFilter={(search) => void navigate({ to: "/activity", search, replace: true })}
    />
  );
}

export function AuditPage() {
  const filter = useSearch({ from: "/signed-in/activity/audit" });
  useTitle("Audit trail");
  const navigate = useNavigate();
  if (!isAdmin(useSession().member.role)) {
    return (
      <EmptyState icon={<ScrollText className="size-6" aria-hidden="true" />} title="The audit trail is for admins">
        An owner or admin of the organisation can look up who did what.
      </EmptyState>
    );
  }
  return (
    <Audit filter={filter} onFilter={(search) => void navigate({ to: "/activity/audit", search, replace: true })} />
  );
}
