import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNames } from "@/shared/api/members";
import type { Document, DocumentVersion } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Dialog } from "@/shared/ui/dialog";
import { Loaded } from "@/shared/ui/loaded";
import { Markdown } from "@/shared/ui/markdown";
import { versionsQuery } from "./api/documents";

/** What a document was before; each can be read. */
export function Versions({ document }: { document: Document }) {
  const nameOf = useNames();
  const versions = useQuery(versionsQuery(document.id));
  const [shown, setShown] = useState<DocumentVersion | null>(null);
  return (
    <Loaded query={versions} what="the versions">
      {(all) => (
        <ol className="space-y-px" data-testid="versions">
          {all.map((version) => (
            <li key={version.version}>
              <button
                type="button"
                onClick={() => setShown(version)}
                className="-mx-2 flex w-[calc(100%+1rem)] items-baseline justify-between gap-3 rounded-md px-2 py-1 text-left text-sm hover:bg-hover"
              >
                <span>
                  Version {version.version} <span className="text-ink-mute">{nameOf(version.author)}</span>
                </span>
                <time className="text-ink-mute text-xs" dateTime={version.at} title={fullTime(version.at)}>
                  {relativeTime(version.at)}
                </time>
              </button>
            </li>
          ))}
          {shown && (
            <Dialog
              open
              onClose={() => setShown(null)}
              title={shown.title}
              description={`Version ${shown.version}, by ${nameOf(shown.author)}, ${fullTime(shown.at)}`}
              size="large"
              testId="version"
            >
              <Markdown text={shown.content} />
            </Dialog>
          )}
        </ol>
      )}
    </Loaded>
  );
}
