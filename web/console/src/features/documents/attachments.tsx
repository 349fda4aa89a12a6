import { ArrowUp, Paperclip, Star, X } from "lucide-react";
import { useRef } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Attachment, Document } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { Button, IconButton } from "@/shared/ui/button";
import { useArrange, useAttach, useDetach } from "./api/documents";

const MOST = 20;
/** A request has at most 1 MiB, of which base 64 takes a third. */
const LARGEST_BYTES = 780_000;

/** The files of a document, in their order; one stands for it. */
export function Attachments({ document, canEdit }: { document: Document; canEdit: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const attach = useAttach(document.id);
  const arrange = useArrange(document.id);
  const detach = useDetach();
  const { attachments } = document;
  const failed = (error: unknown) => toast.error(messageOf(error));
  const primary = attachments.find((attachment) => attachment.is_primary)?.id ?? "";
  const order = attachments.map(({ id }) => id);
  const up = (at: number) => {
    const next = [...order];
    next.splice(at - 1, 0, ...next.splice(at, 1));
    arrange.mutate({ order: next, primary }, { onError: failed });
  };
  const add = (file: File | undefined) => {
    if (!file) return;
    if (file.size > LARGEST_BYTES) return toast.error(`${file.name} is larger than ${sizeText(LARGEST_BYTES)}.`);
    attach.mutate(file, { onError: failed });
  };
  return (
    <div className="space-y-2">
      {attachments.length === 0 ? (
        <p className="text-ink-mute text-sm">Nothing is attached.</p>
      ) : (
        <ol className="space-y-1" data-testid="attachments">
          {attachments.map((attachment, index) => (
            <li key={attachment.id} className="flex items-center gap-1 text-sm">
              <Name attachment={attachment} />
              {canEdit && (
                <>
                  <IconButton
                    label={
                      attachment.is_primary
                        ? `${attachment.name} stands for the document`
                        : `Let ${attachment.name} stand for the document`
                    }
                    aria-pressed={attachment.is_primary}
                    onClick={() => arrange.mutate({ order, primary: attachment.id }, { onError: failed })}
                  >
                    <Star
                      className={cx("size-3.5", attachment.is_primary && "fill-current text-accent-ink")}
                      aria-hidden="true"
                    />
                  </IconButton>
                  <IconButton label={`Move ${attachment.name} up`} disabled={index === 0} onClick={() => up(index)}>
                    <ArrowUp className="size-3.5" aria-hidden="true" />
                  </IconButton>
                  <IconButton
                    label={`Take ${attachment.name} away`}
                    onClick={() => detach.mutate(attachment.id, { onError: failed })}
                  >
                    <X className="size-3.5" aria-hidden="true" />
                  </IconButton>
                </>
              )}
            </li>
          ))}
        </ol>
      )}
      {canEdit && attachments.length < MOST && (
        <>
          <Button
            size="small"
            busy={attach.isPending}
            icon={<Paperclip className="size-3.5" aria-hidden="true" />}
            onClick={() => input.current?.click()}
          >
            Attach a file
          </Button>
          <input
            ref={input}
            type="file"
            hidden
            aria-label="Attach a file"
            onChange={(event) => {
              add(event.target.files?.[0]);
              event.target.value = "";
            }}
          />
        </>
      )}
    </div>
  );
}

function Name({ attachment }: { attachment: Attachment }) {
  return (
    <a
      href={`/api/v1/attachments/${attachment.id}`}
      download={attachment.name}
      className="min-w-0 flex-1 truncate underline decoration-line-strong underline-offset-2 hover:decoration-current"
      title={attachment.name}
    >
      {attachment.name}
      <span className="ml-2 text-ink-mute text-xs">
        {sizeText(attachment.size_bytes)}
        {attachment.is_primary && <span className="sr-only"> stands for the document</span>}
      </span>
    </a>
  );
}

function sizeText(bytes: number): string {
  return bytes < 1_000
    ? `${bytes} B`
    : bytes < 1_000_000
      ? `${Math.round(bytes / 1_000)} kB`
      : `${bytes / 1_000_000} MB`;
}
