import type { QueryClient } from "@tanstack/react-query";
import {
  type AnyRoute,
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { sessionQuery } from "@/features/session/api/session";
import { isStatus } from "@/shared/api/problem";
import { SkeletonLines } from "@/shared/ui/states";
import { lazyPage } from "./lazy-page";
import { PageError } from "./page-error";
import { NotFoundPage } from "./routes/not-found-page";
import { StartError } from "./start-error";

// Each is a piece that is fetched when one of its pages is first wanted.
const activityPages = () => import("./routes/activity-pages");
const agentsPages = () => import("./routes/agents-pages");
const automationsPages = () => import("./routes/automations-pages");
const sessionPages = () => import("./routes/session-pages");
const settingsPages = () => import("./routes/settings-pages");
const studioPages = () => import("./routes/studio-pages");

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

/** The words of an address that a page knows, and no others. */
function words<Name extends string>(...names: Name[]) {
  return (search: Record<string, unknown>): { [name in Name]?: string } =>
    Object.fromEntries(
      names.flatMap((name) => {
        const word = search[name];
        return typeof word === "string" && word !== "" ? [[name, word]] : [];
      }),
    ) as { [name in Name]?: string };
}

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search): { to?: string } => (typeof search.to === "string" ? { to: search.to } : {}),
  component: lazyPage(sessionPages, "SignInRoute"),
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  validateSearch: (search): { t: string } => ({ t: typeof search.t === "string" ? search.t : "" }),
  component: lazyPage(sessionPages, "WelcomeRoute"),
});

/** Everything below needs somebody who is signed in. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.client.ensureQueryData(sessionQuery);
    } catch (error) {
      if (isStatus(error, 401))
        throw redirect({ to: "/sign-in", search: location.pathname === "/" ? {} : { to: location.href } });
      throw error;
    }
  },
  component: lazyPage(() => import("./shell"), "Shell"),
  errorComponent: StartError,
});
const home = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  component: lazyPage(() => import("./routes/home-page"), "HomePage"),
});
const newProject = createRoute({
  getParentRoute: () => signedIn,
  path: "/new",
  component: lazyPage(() => import("./routes/new-project-page"), "NewProjectPage"),
});
const project = createRoute({
  getParentRoute: () => signedIn,
  path: "/p/$key",
  validateSearch: (search): { task?: string } => (typeof search.task === "string" ? { task: search.task } : {}),
  component: lazyPage(() => import("./routes/project-page"), "ProjectPage"),
});
const proposals = createRoute({
  getParentRoute: () => signedIn,
  path: "/proposals",
  component: lazyPage(() => import("./routes/proposals-page"), "ProposalsPage"),
});
const proposal = createRoute({
  getParentRoute: () => signedIn,
  path: "/proposals/$number",
  component: lazyPage(() => import("./routes/proposal-page"), "ProposalPage"),
});
const notifications = createRoute({
  getParentRoute: () => signedIn,
  path: "/notifications",
  component: lazyPage(() => import("./routes/notifications-page"), "NotificationsPage"),
});
const studio = createRoute({
  getParentRoute: () => signedIn,
  path: "/studio",
  component: lazyPage(studioPages, "StudioPage"),
});
const studioJob = createRoute({
  getParentRoute: () => signedIn,
  path: "/studio/jobs/$id",
  component: lazyPage(studioPages, "StudioJobPage"),
});
const documents = createRoute({
  getParentRoute: () => signedIn,
  path: "/studio/documents",
  component: lazyPage(studioPages, "DocumentsPage"),
});
const studioDocument = createRoute({
  getParentRoute: () => signedIn,
  path: "/studio/documents/$id",
  component: lazyPage(studioPages, "StudioDocumentPage"),
});
const automations = createRoute({
  getParentRoute: () => signedIn,
  path: "/automations",
  component: lazyPage(automationsPages, "AutomationsLayout"),
});
const automationsIndex = createRoute({
  getParentRoute: () => automations,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/automations/schedules" });
  },
});
const schedules = createRoute({
  getParentRoute: () => automations,
  path: "/schedules",
  component: lazyPage(automationsPages, "SchedulesPage"),
});
const triggers = createRoute({
  getParentRoute: () => automations,
  path: "/triggers",
  component: lazyPage(automationsPages, "TriggersPage"),
});
const activity = createRoute({
  getParentRoute: () => signedIn,
  path: "/activity",
  component: lazyPage(activityPages, "ActivityLayout"),
});
const events = createRoute({
  getParentRoute: () => activity,
  path: "/",
  validateSearch: words("event", "task", "actor", "project"),
  component: lazyPage(activityPages, "EventsPage"),
});
const audit = createRoute({
  getParentRoute: () => activity,
  path: "/audit",
  validateSearch: words("actor", "action", "target"),
  component: lazyPage(activityPages, "AuditPage"),
});
const agentsArea = createRoute({
  getParentRoute: () => signedIn,
  path: "/agents",
  component: lazyPage(agentsPages, "AgentsLayout"),
});
const agents = createRoute({
  getParentRoute: () => agentsArea,
  path: "/",
  component: lazyPage(agentsPages, "AgentsPage"),
});
const leases = createRoute({
  getParentRoute: () => agentsArea,
  path: "/leases",
  component: lazyPage(agentsPages, "LeasesPage"),
});
const ready = createRoute({
  getParentRoute: () => agentsArea,
  path: "/ready",
  validateSearch: words("project"),
  component: lazyPage(agentsPages, "ReadyPage"),
});
const settings = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings",
  component: lazyPage(settingsPages, "SettingsLayout"),
});
const settingsIndex = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/members" });
  },
});
const members = createRoute({
  getParentRoute: () => settings,
  path: "/members",
  component: lazyPage(settingsPages, "MembersPage"),
});
const keys = createRoute({
  getParentRoute: () => settings,
  path: "/keys",
  component: lazyPage(settingsPages, "KeysPage"),
});
const policies = createRoute({
  getParentRoute: () => settings,
  path: "/policies",
  component: lazyPage(settingsPages, "PoliciesPage"),
});
const channels = createRoute({
  getParentRoute: () => settings,
  path: "/channels",
  component: lazyPage(settingsPages, "ChannelsPage"),
});
const webhooks = createRoute({
  getParentRoute: () => settings,
  path: "/webhooks",
  component: lazyPage(settingsPages, "WebhooksPage"),
});
const work = createRoute({
  getParentRoute: () => settings,
  path: "/work",
  component: lazyPage(settingsPages, "WorkPage"),
});
const link = createRoute({
  getParentRoute: () => signedIn,
  path: "/link",
  validateSearch: (search): { code: string } => ({ code: typeof search.code === "string" ? search.code : "" }),
  component: lazyPage(settingsPages, "LinkRoute"),
});
const nowhere = createRoute({ getParentRoute: () => signedIn, path: "$", component: NotFoundPage });
const account = createRoute({
  getParentRoute: () => settings,
  path: "/account",
  component: lazyPage(settingsPages, "AccountPage"),
});

const tree = root.addChildren([
  signIn,
  welcome,
  signedIn.addChildren([
    home,
    newProject,
    project,
    proposals,
    proposal,
    notifications,
    link,
    nowhere,
    studio,
    studioJob,
    documents,
    studioDocument,
    automations.addChildren([automationsIndex, schedules, triggers]),
    activity.addChildren([events, audit]),
    agentsArea.addChildren([agents, leases, ready]),
    settings.addChildren([settingsIndex, members, keys, policies, channels, webhooks, work, account]),
  ]),
]);

export function makeRouter(client: QueryClient) {
  const router = createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: "intent",
    defaultErrorComponent: PageError,
    defaultPendingComponent: () => <SkeletonLines label="Loading" widths={["w-1/3", "w-2/3", "w-1/2"]} />,
    defaultPendingMs: 300,
    scrollRestoration: true,
  });
  // The pieces of the first page come while the server is asked who is there, not after it.
  for (const { routeId } of router.matchRoutes(router.latestLocation)) {
    const route: AnyRoute = router.routesById[routeId as keyof typeof router.routesById];
    Promise.resolve(router.loadRouteChunk(route)).catch(() => {
      // The router asks again, and shows it.
    });
  }
  return router;
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
