import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import {
  Activity,
  Bell,
  Bot,
  CalendarClock,
  CircleCheckBig,
  CircleHelp,
  FileText,
  FolderKanban,
  GitPullRequestArrow,
  Inbox,
  KeyRound,
  LockKeyhole,
  MessagesSquare,
  Moon,
  Plus,
  Scale,
  ScrollText,
  UserRound,
  UsersRound,
  WandSparkles,
  Webhook,
  Zap,
} from "lucide-react";
import { Dialog } from "radix-ui";
import type { ReactNode } from "react";
import { projectsQuery } from "@/features/projects/api/projects";
import { proposalsQuery } from "@/features/review/api/proposals";
import { isAdmin } from "@/shared/api/roles";
import { setTheme } from "@/shared/lib/theme";
import { useSession } from "./use-session";

const PAGES = [
  { to: "/studio", title: "Studio", Icon: WandSparkles },
  { to: "/studio/documents", title: "Documents", Icon: FileText },
  { to: "/notifications", title: "Notifications", Icon: Bell },
  { to: "/automations/schedules", title: "Schedules", Icon: CalendarClock },
  { to: "/agents", title: "Agents", Icon: Bot },
  { to: "/agents/leases", title: "Leases", Icon: LockKeyhole },
  { to: "/agents/ready", title: "Ready work", Icon: CircleCheckBig },
  { to: "/activity", title: "Activity", Icon: Activity },
  { to: "/settings/members", title: "Members", Icon: UsersRound },
  { to: "/settings/keys", title: "API keys", Icon: KeyRound },
  { to: "/settings/policies", title: "Policies", Icon: Scale },
  { to: "/settings/channels", title: "Channels", Icon: MessagesSquare },
  { to: "/settings/work", title: "Work in the background", Icon: Inbox },
  { to: "/settings/account", title: "Account", Icon: UserRound },
] as const;

const FOR_ADMINS = [
  { to: "/automations/triggers", title: "Triggers", Icon: Zap },
  { to: "/activity/audit", title: "Audit trail", Icon: ScrollText },
  { to: "/settings/webhooks", title: "Webhooks", Icon: Webhook },
] as const;

interface CommandPaletteProps {
  onClose: () => void;
  onHelp: () => void;
}

/** Goes anywhere by typing a few letters. */
export function CommandPalette({ onClose, onHelp }: CommandPaletteProps) {
  const navigate = useNavigate();
  const { member } = useSession();
  const projects = useQuery(projectsQuery);
  const proposals = useQuery(proposalsQuery("open"));
  const pages = isAdmin(member.role) ? [...PAGES, ...FOR_ADMINS] : PAGES;
  const run = (act: () => void) => () => {
    onClose();
    act();
  };
  return (
    <Dialog.Root open onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-sunken/70 backdrop-blur-[2px]" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[14vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 animate-fade overflow-hidden rounded-xl border border-line-strong bg-raised shadow-raised"
        >
          <Dialog.Title className="sr-only">Go to anything</Dialog.Title>
          <Command label="Go to anything">
            <Command.Input
              placeholder="Go to a project, a review, or an action…"
              className="h-12 w-full border-line border-b bg-transparent px-4 text-lg outline-none"
            />
            <Command.List className="max-h-80 overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-6 text-center text-ink-mute text-sm">
                Nothing is called so.
              </Command.Empty>
              <Group heading="Projects">
                {projects.data?.map((project) => (
                  <Item
                    key={project.key}
                    icon={<FolderKanban className="size-4" />}
                    onSelect={run(() => void navigate({ to: "/p/$key", params: { key: project.key } }))}
                  >
                    {project.title} <span className="text-ink-mute">{project.key}</span>
                  </Item>
                ))}
                <Item icon={<Plus className="size-4" />} onSelect={run(() => void navigate({ to: "/new" }))}>
                  New project
                </Item>
              </Group>
              <Group heading="Reviews">
                {proposals.data?.map((proposal) => (
                  <Item
                    key={proposal.number}
                    icon={<GitPullRequestArrow className="size-4" />}
                    onSelect={run(
                      () => void navigate({ to: "/proposals/$number", params: { number: String(proposal.number) } }),
                    )}
                  >
                    #{proposal.number} {proposal.title}
                  </Item>
                ))}
                <Item
                  icon={<GitPullRequestArrow className="size-4" />}
                  onSelect={run(() => void navigate({ to: "/proposals" }))}
                >
                  All reviews
                </Item>
              </Group>
              <Group heading="Pages">
                {pages.map(({ to, title, Icon }) => (
                  <Item key={to} icon={<Icon className="size-4" />} onSelect={run(() => void navigate({ to }))}>
                    {title}
                  </Item>
                ))}
              </Group>
              <Group heading="Console">
                <Item
                  icon={<Moon className="size-4" />}
                  onSelect={run(() => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"))}
                >
                  Switch between light and dark
                </Item>
                <Item icon={<CircleHelp className="size-4" />} onSelect={run(onHelp)}>
                  Keys and words
                </Item>
              </Group>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-ink-mute [&_[cmdk-group-heading]]:text-xs"
    >
      {children}
    </Command.Group>
  );
}

function Item({ icon, onSelect, children }: { icon: ReactNode; onSelect: () => void; children: ReactNode }) {
  return (
    <Command.Item
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2.5 text-sm data-[selected=true]:bg-hover"
    >
      <span className="text-ink-mute" aria-hidden="true">
        {icon}
      </span>
      <span className="min-w-0 truncate">{children}</span>
    </Command.Item>
  );
}
