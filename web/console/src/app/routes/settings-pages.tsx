import { useQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { Webhook } from "lucide-react";
import { Channels } from "@/features/channels/channels";
import { LinkPage } from "@/features/channels/link-page";
import { Jobs } from "@/features/jobs/jobs";
import { ApiKeys } from "@/features/keys/api-keys";
import { HeldMails } from "@/features/mail/held-mails";
import { Members } from "@/features/members/members";
import { Preferences } from "@/features/notifications/preferences";
import { Policies } from "@/features/policies/policies";
import { projectsQuery } from "@/features/projects/api/projects";
import { Account } from "@/features/session/account";
import { Webhooks } from "@/features/webhooks/webhooks";
import { isAdmin } from "@/shared/api/roles";
import { useTitle } from "@/shared/lib/use-title";
import { EmptyState } from "@/shared/ui/states";
import { TabbedArea } from "../page";
import { useSession } from "../use-session";

/** The organisation's members and keys, and one's own account. */
export function SettingsLayout() {
  const forAdmins = isAdmin(useSession().member.role);
  return (
    <TabbedArea
      title="Settings"
      tabs={[
        { to: "/settings/members", title: "Members" },
        { to: "/settings/keys", title: "Keys" },
        { to: "/settings/policies", title: "Policies" },
        { to: "/settings/channels", title: "Channels" },
        ...(forAdmins ? [{ to: "/settings/webhooks", title: "Webhooks" } as const] : []),
        { to: "/settings/work", title: "Work" },
        { to: "/settings/account", title: "Account" },
      ]}
    />
  );
}

export function MembersPage() {
  useTitle("Members");
  return <Members me={useSession().member} />;
}

export function KeysPage() {
  useTitle("Keys");
  const projects = useQuery(projectsQuery);
  return <ApiKeys role={useSession().member.role} projects={projects.data ?? []} />;
}

export function PoliciesPage() {
  useTitle("Policies");
  const projects = useQuery(projectsQuery);
  return <Policies canManage={isAdmin(useSession().member.role)} projects={projects.data ?? []} />;
}

export function ChannelsPage() {
  useTitle("Channels");
  const canManage = isAdmin(useSession().member.role);
  return (
    <div className="space-y-10">
      <Channels canManage={canManage} />
      {canManage && <HeldMails />}
    </div>
  );
}

export function WebhooksPage() {
  useTitle("Webhooks");
  if (isAdmin(useSession().member.role)) return <Webhooks />;
  return (
    <EmptyState icon={<Webhook className="size-6" aria-hidden="true" />} title="Webhooks are for admins">
      An owner or admin of the organisation connects other services; ask one of them.
    </EmptyState>
  );
}

export function WorkPage() {
  useTitle("Work");
  return <Jobs canManage={isAdmin(useSession().member.role)} />;
}

/** Where the link leads that a channel shows to somebody whom it does not know. */
export function LinkRoute() {
  const { code } = useSearch({ from: "/signed-in/link" });
  useTitle("Link a channel");
  return <LinkPage code={code} session={useSession()} />;
}

export function AccountPage() {
  useTitle("Account");
  const session = useSession();
  return (
    <div className="space-y-10">
      <Account session={session} />
      <Preferences timeZone={session.member.time_zone} />
    </div>
  );
}
