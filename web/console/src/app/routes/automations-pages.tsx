import { useQuery } from "@tanstack/react-query";
import { Zap } from "lucide-react";
import { projectsQuery } from "@/features/projects/api/projects";
import { Schedules } from "@/features/schedules/schedules";
import { Triggers } from "@/features/triggers/triggers";
import { isAdmin } from "@/shared/api/roles";
import { useTitle } from "@/shared/lib/use-title";
import { EmptyState } from "@/shared/ui/states";
import { TabbedArea } from "../page";
import { useSession } from "../use-session";

export function AutomationsLayout() {
  const forAdmins = isAdmin(useSession().member.role);
  return (
    <TabbedArea
      title="Automations"
      tabs={[
        { to: "/automations/schedules", title: "Schedules" },
        ...(forAdmins ? [{ to: "/automations/triggers", title: "Triggers" } as const] : []),
      ]}
    />
  );
}

export function SchedulesPage() {
  useTitle("Schedules");
  const { handle, time_zone, role } = useSession().member;
  const projects = useQuery(projectsQuery);
  return (
    <Schedules
      me={{ handle, time_zone, isAdmin: isAdmin(role), canPropose: role !== "viewer" }}
      projects={projects.data ?? []}
    />
  );
}

export function TriggersPage() {
  useTitle("Triggers");
  const { handle, role } = useSession().member;
  const canManage = isAdmin(role);
  const projects = useQuery({ ...projectsQuery, enabled: canManage });
  if (canManage) return <Triggers projects={projects.data ?? []} me={handle} />;
  return (
    <EmptyState icon={<Zap className="size-6" aria-hidden="true" />} title="Triggers are for admins">
      An owner or admin of the organisation says what follows from what; ask one of them.
    </EmptyState>
  );
}
