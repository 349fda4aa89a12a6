import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Check, ChevronDown, Download } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { messageOf } from "@/shared/api/problem";
import type { Tagged } from "@/shared/api/tagged";
import type { ExportFormat, Variant } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { saveFrom } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { EditTextDialog } from "@/shared/ui/edit-text-dialog";
import { Loaded } from "@/shared/ui/loaded";
import { Markdown } from "@/shared/ui/markdown";
import { Menu, MenuItem } from "@/shared/ui/menu";
import { Scroll } from "@/shared/ui/scroll";
import { Badge } from "@/shared/ui/small";
import { Skeleton } from "@/shared/ui/states";
import { readVariant, useAcceptVariants, useEditVariant, useExportVariants, variantsQuery } from "./api/variants";

const FORMATS: { format: ExportFormat; title: string }[] = [
  { format: "md", title: "Markdown" },
  { format: "html", title: "HTML" },
  { format: "txt", title: "Plain text" },
  { format: "json", title: "JSON" },
];

/** What a job made, side by side: chosen, edited, accepted, taken along. */
export function Variants({ job, isMaking }: { job: string; isMaking: boolean }) {
  const variants = useQuery(variantsQuery(job, isMaking));
  const [chosen, setChosen] = useState<string[]>([]);
  const [editing, setEditing] = useState<Tagged<Variant> | null>(null);
  const edit = useEditVariant(job);
  const toggle = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  const open = (id: string) => {
    readVariant(id).then(setEditing, (error) => toast.error(messageOf(error)));
  };
  return (
    <section aria-labelledby="variants">
      <Loaded query={variants} what="the variants">
        {(all) => (
          <>
            <div className="mb-3 flex min-h-8 flex-wrap items-center justify-between gap-3">
              <h2 id="variants" className="font-medium text-ink-soft text-sm">
                {all.length === 0 ? "Variants" : all.length === 1 ? "One variant" : `${all.length} variants`}
              </h2>
              {all.length > 0 && <Chosen job={job} all={all} chosen={chosen} onDone={() => setChosen([])} />}
            </div>
            {all.length === 0 && !isMaking && <p className="text-ink-mute text-sm">It made none.</p>}
            <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3" data-testid="variants">
              {all.map((variant) => (
                <VariantCard
                  key={variant.id}
                  variant={variant}
                  isChosen={chosen.includes(variant.id)}
                  onToggle={() => toggle(variant.id)}
                  onEdit={() => open(variant.id)}
                />
              ))}
              {isMaking && (
                <li className="space-y-3 rounded-xl border border-line border-dashed p-4">
                  <p role="status" className="text-ink-mute text-sm">
                    The next one is being made…
                  </p>
                  <Skeleton className="h-4 w-2/3" />
                  <Skeleton className="h-4 w-full" />
                  <Skeleton className="h-4 w-4/5" />
                </li>
              )}
            </ul>
          </>
        )}
      </Loaded>
      {editing && (
        <EditTextDialog
          what={`variant ${editing.number}`}
          text={editing}
          reread={() => readVariant(editing.id)}
          save={({ title, content, etag }) => edit.mutateAsync({ id: editing.id, title, content, etag })}
          onClose={() => setEditing(null)}
        />
      )}
    </section>
  );
}

interface ChosenProps {
  job: string;
  all: Variant[];
  chosen: string[];
  onDone: () => void;
}

/** What is done with those that are ticked. */
function Chosen({ job, all, chosen, onDone }: ChosenProps) {
  const navigate = useNavigate();
  const accept = useAcceptVariants(job);
  const write = useExportVariants();
  const failed = (error: unknown) => toast.error(messageOf(error));
  const count = chosen.length;
  const isText = all.every(({ media_type: mediaType }) => mediaType.startsWith("text/"));
  const exported = (format: ExportFormat) =>
    write.mutate(
      { ids: count > 0 ? chosen : all.map(({ id }) => id), format },
      { onSuccess: ({ url, name }) => saveFrom(url, name), onError: failed },
    );
  const accepted = () =>
    accept.mutate(chosen, {
      onError: failed,
      onSuccess: ([first, ...more]) => {
        onDone();
        if (first && more.length === 0) {
          void navigate({ to: "/studio/documents/$id", params: { id: first.id } });
        } else {
          toast.success(`${more.length + 1} documents were made of them.`);
        }
      },
    });
  return (
    <div className="flex gap-2">
      <Menu
        label="Export as"
        align="end"
        trigger={
          <Button size="small" busy={write.isPending} icon={<Download className="size-3.5" aria-hidden="true" />}>
            Export {count > 0 ? `${count} ticked` : "all"}
            <ChevronDown className="size-3.5" aria-hidden="true" />
          </Button>
        }
      >
        {isText ? (
          FORMATS.map(({ format, title }) => (
            <MenuItem key={format} onSelect={() => exported(format)}>
              {title}
            </MenuItem>
          ))
        ) : (
          <MenuItem onSelect={() => exported("md")}>As they are</MenuItem>
        )}
      </Menu>
      <Button
        size="small"
        look="primary"
        disabled={count === 0}
        busy={accept.isPending}
        onClick={accepted}
        icon={<Check className="size-3.5" aria-hidden="true" />}
      >
        Accept{count > 1 ? ` ${count}` : ""}
      </Button>
    </div>
  );
}

interface VariantCardProps {
  variant: Variant;
  isChosen: boolean;
  onToggle: () => void;
  onEdit: () => void;
}

function VariantCard({ variant, isChosen, onToggle, onEdit }: VariantCardProps) {
  const isImage = variant.media_type.startsWith("image/");
  return (
    <li
      className={cx("flex flex-col rounded-xl border bg-surface", isChosen ? "border-accent" : "border-line")}
      data-testid="variant"
    >
      <div className="flex items-center gap-2.5 border-line min-h-12 border-b px-4 py-2">
        <input
          type="checkbox"
          className="size-4 shrink-0 accent-accent"
          aria-label={`Variant ${variant.number}`}
          checked={isChosen}
          onChange={onToggle}
        />
        <span className="min-w-0 flex-1 truncate font-medium text-sm" title={variant.title}>
          {variant.number}. {variant.title}
        </span>
        {variant.document ? (
          <Link
            to="/studio/documents/$id"
            params={{ id: variant.document }}
            className="text-accent-ink text-xs underline underline-offset-2"
          >
            Document<span className="sr-only"> of variant {variant.number}</span>
          </Link>
        ) : (
          <Button size="small" look="quiet" aria-label={`Edit variant ${variant.number}`} onClick={onEdit}>
            Edit
          </Button>
        )}
      </div>
      <Scroll className="max-h-96 flex-1 px-4 py-3 text-sm">
        {isImage ? (
          <img src={`/api/v1/variants/${variant.id}/file`} alt={variant.content} className="w-full rounded-md" />
        ) : (
          <Markdown text={variant.content} />
        )}
      </Scroll>
      <p className="flex items-center gap-2 border-line border-t px-4 py-2 text-ink-mute text-xs">
        {variant.state === "accepted" && <Badge tone="added">accepted</Badge>}
        <span className="min-w-0 truncate" title={variant.made_by}>
          {variant.version > 1 ? `edited, first by ${variant.made_by}` : variant.made_by}
        </span>
      </p>
    </li>
  );
}
