import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { ChevronLeft, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { DocumentPage } from "@/features/documents/document-page";
import { Documents, NewDocumentDialog } from "@/features/documents/documents";
import { JobPage } from "@/features/jobs/job-page";
import { RunDialog } from "@/features/jobs/run-dialog";
import { Studio } from "@/features/jobs/studio";
import { projectsQuery } from "@/features/projects/api/projects";
import { isAdmin } from "@/shared/api/roles";
import type { Job } from "@/shared/api/types";
import { useTitle } from "@/shared/lib/use-title";
import { Button } from "@/shared/ui/button";
import { PageBody, PageTitle, Tabs } from "../page";
import { useSession } from "../use-session";

function StudioArea({ action, children }: { action: ReactNode; children: ReactNode }) {
  return (
    <PageBody>
      <PageTitle title="Studio" action={action} />
      <Tabs
        label="Studio"
        tabs={[
          { to: "/studio", title: "Jobs", exact: true },
          { to: "/studio/documents", title: "Documents" },
        ]}
      />
      {children}
    </PageBody>
  );
}

const plus = <Plus className="size-4" aria-hidden="true" />;

export function StudioPage() {
  useTitle("Studio");
  const [isOpen, setOpen] = useState(false);
  return (
    <StudioArea
      action={
        useMay().change && (
          <Button look="primary" icon={plus} onClick={() => setOpen(true)}>
            Run a tool
          </Button>
        )
      }
    >
      <Studio />
      {isOpen && <Run onClose={() => setOpen(false)} />}
    </StudioArea>
  );
}

export function StudioJobPage() {
  const { id } = useParams({ from: "/signed-in/studio/jobs/$id" });
  useTitle("Job");
  const { member } = useSession();
  const [like, setLike] = useState<Job | null>(null);
  return (
    <PageBody width="wide">
      <Back to="/studio">Studio</Back>
      <JobPage id={id} me={{ handle: member.handle, isAdmin: isAdmin(member.role) }} onRepeat={setLike} />
      {like && <Run like={like} onClose={() => setLike(null)} />}
    </PageBody>
  );
}

function Run({ like, onClose }: { like?: Job; onClose: () => void }) {
  const navigate = useNavigate();
  const { member } = useSession();
  const projects = useQuery(projectsQuery);
  return (
    <RunDialog
      projects={projects.data ?? []}
      like={like}
      isAdmin={isAdmin(member.role)}
      onClose={onClose}
      onRun={({ id }) => {
        onClose();
        void navigate({ to: "/studio/jobs/$id", params: { id } });
      }}
    />
  );
}

export function DocumentsPage() {
  useTitle("Documents");
  const [isOpen, setOpen] = useState(false);
  return (
    <StudioArea
      action={
        useMay().change && (
          <Button look="primary" icon={plus} onClick={() => setOpen(true)}>
            New document
          </Button>
        )
      }
    >
      <Documents />
      {isOpen && <NewDocumentDialog onClose={() => setOpen(false)} />}
    </StudioArea>
  );
}

export function StudioDocumentPage() {
  const { id } = useParams({ from: "/signed-in/studio/documents/$id" });
  useTitle("Document");
  return (
    <PageBody width="wide">
      <Back to="/studio/documents">Documents</Back>
      <DocumentPage id={id} may={useMay()} />
    </PageBody>
  );
}

/** What somebody's role lets them do here. */
function useMay() {
  const { role } = useSession().member;
  return { change: role !== "viewer", review: isAdmin(role) || role === "member" };
}

function Back({ to, children }: { to: "/studio" | "/studio/documents"; children: ReactNode }) {
  return (
    <Link to={to} className="mb-3 -ml-1 inline-flex items-center gap-1 rounded text-ink-soft text-sm hover:text-ink">
      <ChevronLeft className="size-4" aria-hidden="true" /> {children}
    </Link>
  );
}
