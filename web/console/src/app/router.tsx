import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, Outlet, redirect } from "@tanstack/react-router";
import { sessionQuery } from "@/features/session/api/session";
import { isStatus } from "@/shared/api/problem";
import { ActivityLayout, AuditPage, EventsPage } from "./routes/activity-pages";
import { AgentsLayout, AgentsPage, LeasesPage, ReadyPage } from "./routes/agents-pages";
import { AutomationsLayout, SchedulesPage, TriggersPage } from "./routes/automations-pages";
import { HomePage } from "./routes/home-page";
import { NewProjectPage } from "./routes/new-project-page";
import { NotFoundPage } from "./routes/not-found-page";
import { NotificationsPage } from "./routes/notifications-page";
import { ProjectPage } from "./routes/project-page";
import { ProposalPage } from "./routes/proposal-page";
import { ProposalsPage } from "./routes/proposals-page";
import { SignInRoute, WelcomeRoute } from "./routes/session-pages";
import {
  AccountPage,
  ChannelsPage,
  KeysPage,
  LinkRoute,
  MembersPage,
  PoliciesPage,
  SettingsLayout,
  WebhooksPage,
  WorkPage,
} from "./routes/settings-pages";
import { DocumentsPage, StudioDocumentPage, StudioJobPage, StudioPage } from "./routes/studio-pages";
import { Shell } from "./shell";
import { StartError } from "./start-error";

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
  component: SignInRoute,
});
const welcome = createRoute({
  getParentRoute: () => root,
  path: "/welcome",
  validateSearch: (search): { t: string } => ({ t: typeof search.t === "string" ? search.t : "" }),
  component: WelcomeRoute,
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
  component: Shell,
  errorComponent: StartError,
});
const home = createRoute({ getParentRoute: () => signedIn, path: "/", component: HomePage });
const newProject = createRoute({ getParentRoute: () => signedIn, path: "/new", component: NewProjectPage });
const project = createRoute({
  getParentRoute: () => signedIn,
  path: "/p/$key",
  validateSearch: (search): { task?: string } => (typeof search.task === "string" ? { task: search.task } : {}),
  component: ProjectPage,
});
const proposals = createRoute({ getParentRoute: () => signedIn, path: "/proposals", component: ProposalsPage });
const proposal = createRoute({ getParentRoute: () => signedIn, path: "/proposals/$number", component: ProposalPage });
const notifications = createRoute({
  getParentRoute: () => signedIn,
  path: "/notifications",
  component: NotificationsPage,
});
const studio = createRoute({ getParentRoute: () => signedIn, path: "/studio", component: StudioPage });
const studioJob = createRoute({
  getParentRoute: () => signedIn,
  path: "/studio/jobs/$id",
  component: function OneJob() {
    return <StudioJobPage id={studioJob.useParams().id} />;
  },
});
const documents = createRoute({ getParentRoute: () => signedIn, path: "/studio/documents", component: DocumentsPage });
const studioDocument = createRoute({
  getParentRoute: () => signedIn,
  path: "/studio/documents/$id",
  component: function OneDocument() {
    return <StudioDocumentPage id={studioDocument.useParams().id} />;
  },
});
const automations = createRoute({ getParentRoute: () => signedIn, path: "/automations", component: AutomationsLayout });
const automationsIndex = createRoute({
  getParentRoute: () => automations,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/automations/schedules" });
  },
});
const schedules = createRoute({ getParentRoute: () => automations, path: "/schedules", component: SchedulesPage });
const triggers = createRoute({ getParentRoute: () => automations, path: "/triggers", component: TriggersPage });
const activity = createRoute({ getParentRoute: () => signedIn, path: "/activity", component: ActivityLayout });
const events = createRoute({
  getParentRoute: () => activity,
  path: "/",
  validateSearch: words("event", "task", "actor", "project"),
  component: function EventLog() {
    return <EventsPage filter={events.useSearch()} />;
  },
});
const audit = createRoute({
  getParentRoute: () => activity,
  path: "/audit",
  validateSearch: words("actor", "action", "target"),
  component: function AuditTrail() {
    return <AuditPage filter={audit.useSearch()} />;
  },
});
const agentsArea = createRoute({ getParentRoute: () => signedIn, path: "/agents", component: AgentsLayout });
const agents = createRoute({ getParentRoute: () => agentsArea, path: "/", component: AgentsPage });
const leases = createRoute({ getParentRoute: () => agentsArea, path: "/leases", component: LeasesPage });
const ready = createRoute({
  getParentRoute: () => agentsArea,
  path: "/ready",
  validateSearch: words("project"),
  component: function ReadyWork() {
    return <ReadyPage project={ready.useSearch().project} />;
  },
});
const settings = createRoute({ getParentRoute: () => signedIn, path: "/settings", component: SettingsLayout });
const settingsIndex = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/members" });
  },
});
const members = createRoute({ getParentRoute: () => settings, path: "/members", component: MembersPage });
const keys = createRoute({ getParentRoute: () => settings, path: "/keys", component: KeysPage });
const policies = createRoute({ getParentRoute: () => settings, path: "/policies", component: PoliciesPage });
const channels = createRoute({ getParentRoute: () => settings, path: "/channels", component: ChannelsPage });
const webhooks = createRoute({ getParentRoute: () => settings, path: "/webhooks", component: WebhooksPage });
const work = createRoute({ getParentRoute: () => settings, path: "/work", component: WorkPage });
const link = createRoute({
  getParentRoute: () => signedIn,
  path: "/link",
  validateSearch: (search): { code: string } => ({ code: typeof search.code === "string" ? search.code : "" }),
  component: function Linking() {
    return <LinkRoute code={link.useSearch().code} />;
  },
});
const account = createRoute({ getParentRoute: () => settings, path: "/account", component: AccountPage });

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
  return createRouter({ routeTree: tree, context: { client }, defaultPreload: "intent", scrollRestoration: true });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
