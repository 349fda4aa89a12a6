import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { FileText, Paperclip } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useNames } from "@/shared/api/members";
import type { Document, DocumentState } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Choices } from "@/shared/ui/choices";
import { Dialog } from "@/shared/ui/dialog";
import { TextArea, TextField } from "@/shared/ui/field";
import { Lines, LineText } from "@/shared/ui/line";
import { LoadedPages } from "@/shared/ui/loaded";
import { MutationForm, text } from "@/shared/ui/mutation-form";
import { EmptyState } from "@/shared/ui/states";
import { documentsQuery, useCreateDocument } from "./api/documents";
import { StateBadge } from "./state";

const FILTERS: { value: DocumentState | undefined; title: string }[] = [
  { value: undefined, title: "All" },
  { value: "draft", title: "Drafts" },
  { value: "review", title: "In review" },
  { value: "approved", title: "Approved" },
  { value: "published", title: "Published" },
];

/** All documents, by state and by the words in them. */
export function Documents() {
  const [state, setState] = useState<DocumentState | undefined>(undefined);
  const [words, setWords] = useState("");
  const documents = useInfiniteQuery(documentsQuery(useDeferredValue(words.trim()), state));
  const isAll = state === undefined && words.trim() === "";
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center justify-between gap-3">
        <Choices label="Which documents" options={FILTERS} value={state} onChoose={setState} />
        <input
          type="search"
          aria-label="Search documents"
          placeholder="Search titles and texts"
          value={words}
          maxLength={100}
          onChange={(event) => setWords(event.target.value)}
          className="h-8 w-full rounded-md border border-line-strong bg-surface px-3 text-sm sm:w-64"
        />
      </div>
      <LoadedPages
        query={documents}
        what="the documents"
        empty={
          isAll ? (
            <EmptyState
              framed
              icon={<FileText className="size-6" aria-hidden="true" />}
              title="There are no documents yet"
            >
              Accept a variant of a job, or write one: a draft, that others review before it is published.
            </EmptyState>
          ) : (
            <EmptyState framed title="No document is like that" />
          )
        }
      >
        {(all) => (
          <Lines testId="documents">
            {all.map((document) => (
              <DocumentLine key={document.id} document={document} />
            ))}
          </Lines>
        )}
      </LoadedPages>
    </>
  );
}

function DocumentLine({ document }: { document: Document }) {
  const nameOf = useNames();
  return (
    <li>
      <Link
        to="/studio/documents/$id"
        params={{ id: document.id }}
        className="flex items-center gap-4 px-4 py-3 hover:bg-hover"
      >
        <LineText
          title={
            <>
              {document.title} <StateBadge state={document.state} />
            </>
          }
          facts={
            <>
              {nameOf(document.author)} · version {document.version} ·{" "}
              <span title={fullTime(document.updated_at)}>{relativeTime(document.updated_at)}</span>
            </>
          }
        />
        {document.attachments.length > 0 && (
          <span className="flex items-center gap-1 text-ink-mute text-xs">
            <Paperclip className="size-3.5" aria-hidden="true" /> {document.attachments.length}
            <span className="sr-only"> attached</span>
          </span>
        )}
      </Link>
    </li>
  );
}

const FIELDS = ["title", "content"] as const;

/** A new draft. */
export function NewDocumentDialog({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  return (
    <Dialog open onClose={onClose} title="A new document" size="large" insists testId="new-document">
      <MutationForm
        mutation={useCreateDocument()}
        fields={FIELDS}
        read={(form) => ({ title: text(form, "title") ?? "", content: String(form.get("content")) })}
        onDone={({ id }) => void navigate({ to: "/studio/documents/$id", params: { id } })}
        onClose={onClose}
        verb="Make the draft"
      >
        {(faults) => (
          <>
            <TextField label="Title" name="title" maxLength={200} autoComplete="off" autoFocus error={faults.title} />
            <TextArea
              label="Text"
              name="content"
              hint="Markdown."
              className="max-h-[45vh] min-h-56 font-mono text-xs"
              error={faults.content}
            />
          </>
        )}
      </MutationForm>
    </Dialog>
  );
}
