import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import {
  Activity,
  Bell,
  Bot,
  CalendarClock,
  CircleHelp,
  FolderKanban,
  GitPullRequestArrow,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  MonitorX,
  Moon,
  Plus,
  Search,
  Settings,
  Sun,
  UserRound,
  WandSparkles,
  WifiOff,
} from "lucide-react";
import { Suspense, useEffect, useState } from "react";
import { toast } from "sonner";
import { unreadQuery } from "@/features/notifications/api/notifications";
import { ProjectLinks } from "@/features/projects/project-links";
import { proposalsQuery } from "@/features/review/api/proposals";
import { useSignOut } from "@/features/session/api/sign-out";
import { cx } from "@/shared/lib/cx";
import { MOD_KEY, useHotkeys } from "@/shared/lib/hotkeys";
import { setTheme, type Theme, useTheme } from "@/shared/lib/theme";
import { useLiveStatus } from "@/shared/live/live-context";
import { IconButton } from "@/shared/ui/button";
import { Menu, MenuHeading, MenuItem, MenuSeparator } from "@/shared/ui/menu";
import { Avatar, Logo } from "@/shared/ui/small";
import { SkeletonLines } from "@/shared/ui/states";
import { HelpSheet } from "./help-sheet";
import { lazyPage } from "./lazy-page";
import { LiveProvider } from "./live-provider";
import { prefetchPages } from "./prefetch";
import { useSession } from "./use-session";

const CommandPalette = lazyPage(() => import("./command-palette"), "CommandPalette");

export function Shell() {
  return (
    <LiveProvider>
      <Frame />
    </LiveProvider>
  );
}

function Frame() {
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const navigate = useNavigate();
  const router = useRouter();
  useEffect(() => prefetchPages(router, [CommandPalette.preload]), [router]);
  const openPalette = () =>
    CommandPalette.preload().then(
      () => setPaletteOpen(true),
      () =>
        toast.error("What is searched with could not be loaded", {
          action: { label: "Reload", onClick: () => window.location.reload() },
        }),
    );
  useHotkeys({
    "?": () => setHelpOpen(true),
    "mod+k": () => void openPalette(),
    n: () => void navigate({ to: "/new" }),
    ...(isMenuOpen ? { Escape: () => setMenuOpen(false) } : {}),
  });
  return (
    <div className="flex h-full">
      <a
        href="#main"
        className="sr-only rounded-md bg-accent text-on-accent focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:px-3 focus:py-1.5"
      >
        Skip to the content
      </a>
      {isMenuOpen && (
        <button
          type="button"
          aria-label="Close the menu"
          className="fixed inset-0 z-20 bg-sunken/70 md:hidden"
          onClick={() => setMenuOpen(false)}
        />
      )}
      <nav
        aria-label="Console"
        className={cx(
          "z-30 flex w-60 shrink-0 flex-col border-line border-r bg-ground max-md:fixed max-md:inset-y-0 max-md:left-0 max-md:shadow-raised",
          !isMenuOpen && "max-md:hidden",
        )}
      >
        <Sidebar
          onNavigate={() => setMenuOpen(false)}
          onHelp={() => setHelpOpen(true)}
          onSearch={() => void openPalette()}
        />
      </nav>
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex h-12 shrink-0 items-center gap-2 border-line border-b px-3 md:hidden">
          <IconButton label="Open the menu" onClick={() => setMenuOpen(true)}>
            <MenuIcon className="size-4" aria-hidden="true" />
          </IconButton>
          <Logo className="size-6" />
          <span className="font-semibold">Patchbay</span>
        </div>
        <ConnectionNotice />
        <main id="main" className="min-h-0 flex-1 overflow-y-auto bg-surface" tabIndex={-1}>
          <Suspense fallback={<SkeletonLines label="Loading" widths={["w-1/3", "w-2/3", "w-1/2"]} />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <HelpSheet open={isHelpOpen} onClose={() => setHelpOpen(false)} />
      {isPaletteOpen && <CommandPalette onClose={() => setPaletteOpen(false)} onHelp={() => setHelpOpen(true)} />}
    </div>
  );
}

const LINK = "flex h-8 items-center gap-2 rounded-md px-2 text-ink-soft text-sm hover:bg-hover hover:text-ink";
const ACTIVE = { className: "bg-selected font-medium !text-ink", "aria-current": "page" as const };

/** What is done beside plans: below them, and quieter. */
const WORKSPACE = [
  { to: "/studio", title: "Studio", Icon: WandSparkles },
  { to: "/automations", title: "Automations", Icon: CalendarClock },
  { to: "/agents", title: "Agents", Icon: Bot },
  { to: "/activity", title: "Activity", Icon: Activity },
  { to: "/settings", title: "Settings", Icon: Settings },
] as const;

interface SidebarProps {
  onNavigate: () => void;
  onHelp: () => void;
  onSearch: () => void;
}

function Sidebar({ onNavigate, onHelp, onSearch }: SidebarProps) {
  const session = useSession();
  const open = useQuery(proposalsQuery("open"));
  const waiting = open.data?.length ?? 0;
  const unread = useQuery(unreadQuery).data ?? 0;
  return (
    <>
      <div className="flex h-14 items-center gap-2.5 pr-2 pl-4">
        <Logo className="size-6" />
        <span className="min-w-0 flex-1 truncate font-semibold">{session.organization.name}</span>
        <IconButton label={`Go to anything (${MOD_KEY} K)`} onClick={onSearch}>
          <Search className="size-4" aria-hidden="true" />
        </IconButton>
      </div>
      <div className="space-y-px px-2">
        <Link to="/new" onClick={onNavigate} className={LINK} activeProps={ACTIVE}>
          <Plus className="size-4" aria-hidden="true" /> New project
        </Link>
        <Link to="/" onClick={onNavigate} className={LINK} activeProps={ACTIVE} activeOptions={{ exact: true }}>
          <FolderKanban className="size-4" aria-hidden="true" /> Projects
        </Link>
        <Link to="/proposals" onClick={onNavigate} className={LINK} activeProps={ACTIVE}>
          <GitPullRequestArrow className="size-4" aria-hidden="true" />
          <span className="flex-1">Reviews</span>
          {waiting > 0 && (
            <span className="rounded-full bg-accent-soft px-1.5 font-medium text-2xs text-accent-ink">
              {waiting}
              <span className="sr-only"> open</span>
            </span>
          )}
        </Link>
        <Link to="/notifications" onClick={onNavigate} className={LINK} activeProps={ACTIVE}>
          <Bell className="size-4" aria-hidden="true" />
          <span className="flex-1">Notifications</span>
          {unread > 0 && (
            <span className="rounded-full bg-accent-soft px-1.5 font-medium text-2xs text-accent-ink">
              {unread > 99 ? "99+" : unread}
              <span className="sr-only"> unread</span>
            </span>
          )}
        </Link>
      </div>
      <div className="mt-4 min-h-0 flex-1 overflow-y-auto border-line border-t px-2 pt-3 pb-2">
        <ProjectLinks onNavigate={onNavigate} />
      </div>
      <div className="space-y-px border-line border-t px-2 py-2">
        {WORKSPACE.map(({ to, title, Icon }) => (
          <Link key={to} to={to} onClick={onNavigate} className={LINK} activeProps={ACTIVE}>
            <Icon className="size-4" aria-hidden="true" /> {title}
          </Link>
        ))}
      </div>
      <div className="flex items-center gap-1 border-line border-t p-2">
        <Person onNavigate={onNavigate} />
        <IconButton label="Keys and help (?)" onClick={onHelp}>
          <CircleHelp className="size-4" aria-hidden="true" />
        </IconButton>
      </div>
    </>
  );
}

const THEMES: { theme: Theme; text: string; Icon: typeof Sun }[] = [
  { theme: "system", text: "As the system", Icon: Monitor },
  { theme: "light", text: "Light", Icon: Sun },
  { theme: "dark", text: "Dark", Icon: Moon },
];

function Person({ onNavigate }: { onNavigate: () => void }) {
  const navigate = useNavigate();
  const session = useSession();
  const theme = useTheme();
  const signOut = useSignOut();
  return (
    <Menu
      label="You"
      side="top"
      trigger={
        <button
          type="button"
          className="flex h-9 min-w-0 flex-1 items-center gap-2 rounded-md px-2 text-left hover:bg-hover"
        >
          <Avatar name={session.member.name} />
          <span className="min-w-0 flex-1 truncate text-sm">{session.member.name}</span>
        </button>
      }
    >
      <MenuHeading>
        {session.member.email ?? session.member.handle} · {session.member.role}
      </MenuHeading>
      <MenuItem
        icon={<UserRound className="size-3.5" aria-hidden="true" />}
        onSelect={() => {
          onNavigate();
          void navigate({ to: "/settings/account" });
        }}
      >
        Account
      </MenuItem>
      <MenuSeparator />
      {THEMES.map(({ theme: value, text, Icon }) => (
        <MenuItem
          key={value}
          icon={<Icon className="size-3.5" aria-hidden="true" />}
          checked={theme === value}
          onSelect={() => setTheme(value)}
        >
          {text}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem icon={<LogOut className="size-3.5" aria-hidden="true" />} onSelect={() => signOut.mutate(false)}>
        Sign out
      </MenuItem>
      <MenuItem icon={<MonitorX className="size-3.5" aria-hidden="true" />} onSelect={() => signOut.mutate(true)}>
        Sign out everywhere
      </MenuItem>
      <MenuSeparator />
      <MenuHeading>
        Patchbay {session.version} · {session.planner.name}
      </MenuHeading>
    </Menu>
  );
}

/** Says that the connection is gone, and that nothing is lost for it. */
function ConnectionNotice() {
  const status = useLiveStatus();
  if (status !== "reconnecting") return null;
  return (
    <p
      role="status"
      className="flex items-center justify-center gap-2 bg-changed px-4 py-1.5 text-changed-ink text-xs"
      data-testid="offline"
    >
      <WifiOff className="size-3.5" aria-hidden="true" />
      The connection is lost. What you write is kept and goes out when it is back.
    </p>
  );
}
