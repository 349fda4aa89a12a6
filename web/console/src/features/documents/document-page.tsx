import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { type ReactNode, useState } from "react";
import { toast } from "sonner";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Tagged } from "@/shared/api/tagged";
import type { Document } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { EditTextDialog } from "@/shared/ui/edit-text-dialog";
import { SelectField } from "@/shared/ui/field";
import { Loaded } from "@/shared/ui/loaded";
import { Markdown } from "@/shared/ui/markdown";
import { documentQuery, readDocument, useEditDocument, useKeepDocument, useMoveDocument } from "./api/documents";
import { Attachments } from "./attachments";
import { STEPS, Way } from "./state";
import { Versions } from "./versions";

interface DocumentPageProps {
  id: string;
  may: { change: boolean; review: boolean };
}

/** One document, on its way from draft to published. */
export function DocumentPage({ id, may }: DocumentPageProps) {
  const document = useQuery(documentQuery(id));
  return (
    <Loaded query={document} what="the document">
      {(found) => <OneDocument key={found.id} document={found} may={may} />}
    </Loaded>
  );
}

function OneDocument({ document, may }: { document: Tagged<Document>; may: DocumentPageProps["may"] }) {
  const nameOf = useNames();
  const [isEditing, setEditing] = useState(false);
  const edit = useEditDocument(document.id);
  const move = useMoveDocument(document.id);
  const canEdit = may.change && document.state === "draft";
  const steps = STEPS[document.state].filter((step) => may.change && (may.review || !step.review));
  const isImage = document.media_type.startsWith("image/") && document.variant !== null;
  return (
    <div className="grid gap-8 lg:grid-cols-[1fr_17rem]" data-testid={`document-${document.state}`}>
      <div className="min-w-0">
        <h1 className="break-words font-semibold text-2xl tracking-tight">{document.title}</h1>
        <p className="mt-1 text-ink-soft text-sm">
          {nameOf(document.author)} · version {document.version} ·{" "}
          <span title={fullTime(document.updated_at)}>{relativeTime(document.updated_at)}</span>
        </p>
        <div className="my-4 flex flex-wrap items-center justify-between gap-3 rounded-xl border border-line bg-ground px-4 py-2.5">
          <Way state={document.state} />
          <span className="flex flex-wrap gap-2">
            {canEdit && (
              <Button
                size="small"
                look="quiet"
                icon={<Pencil className="size-3.5" aria-hidden="true" />}
                onClick={() => setEditing(true)}
              >
                Edit
              </Button>
            )}
            {steps.map(({ to, verb }, index) => (
              <Button
                key={to}
                size="small"
                look={index === 0 && to !== "draft" ? "primary" : "quiet"}
                busy={move.isPending && move.variables === to}
                onClick={() => move.mutate(to, { onError: (error) => toast.error(messageOf(error)) })}
              >
                {verb}
              </Button>
            ))}
          </span>
        </div>
        <article className="max-w-2xl text-base leading-relaxed" data-testid="document-text">
          {isImage ? (
            <img src={`/api/v1/variants/${document.variant}/file`} alt={document.content} className="rounded-md" />
          ) : document.content.trim() === "" ? (
            <p className="text-ink-mute">It has no text yet.</p>
          ) : (
            <Markdown text={document.content} />
          )}
        </article>
      </div>
      <aside className="min-w-0 space-y-7" aria-label="About the document">
        <Part title="Attachments">
          <Attachments document={document} canEdit={canEdit} />
        </Part>
        <Part title="Versions">
          <Versions document={document} />
        </Part>
        {may.change && (
          <Part title="Kept">
            <Keeping document={document} />
          </Part>
        )}
      </aside>
      {isEditing && (
        <EditTextDialog
          what={document.title}
          text={document}
          reread={() => readDocument(document.id)}
          save={(change) => edit.mutateAsync(change)}
          onClose={() => setEditing(false)}
        />
      )}
    </div>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2 className="mb-2 font-medium text-ink-soft text-sm">{title}</h2>
      {children}
    </section>
  );
}

const DAYS = [0, 30, 90, 365, 3650];

/** How long it is kept after its last change. */
function Keeping({ document }: { document: Document }) {
  const keep = useKeepDocument(document.id);
  const days = document.keep_days ?? 0;
  return (
    <SelectField
      label="After its last change"
      value={days}
      disabled={keep.isPending}
      onChange={(event) =>
        keep.mutate(Number(event.target.value), { onError: (error) => toast.error(messageOf(error)) })
      }
    >
      {[...new Set([...DAYS, days])]
        .sort((a, b) => a - b)
        .map((count) => (
          <option key={count} value={count}>
            {count === 0 ? "for ever" : `for ${count} days`}
          </option>
        ))}
    </SelectField>
  );
}
