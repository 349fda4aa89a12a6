import { useQuery } from "@tanstack/react-query";
import { Paperclip } from "lucide-react";
import { bytes } from "@/shared/lib/bytes";
import { filesQuery } from "./api/files";

/** What came with the messages that led to a proposal; nothing where nothing did. */
export function Files({ number }: { number: number }) {
  const files = useQuery(filesQuery(number));
  // That the list did not come is told by what it stands beside, which comes from the same place.
  if (!files.data?.length) return null;
  return (
    <section aria-labelledby="files">
      <h3 id="files" className="mb-1.5 font-medium text-sm">
        Files
      </h3>
      <ul className="space-y-1.5" data-testid="files">
        {files.data.map((file) => (
          <li key={file.id} className="flex items-start gap-2 text-sm">
            <Paperclip className="mt-0.5 size-3.5 shrink-0 text-ink-mute" aria-hidden="true" />
            <p className="min-w-0 break-words">
              {file.problem ? (
                file.name
              ) : (
                <a href={`/api/v1/files/${file.id}`} download={file.name} className="text-accent-ink underline">
                  {file.name}
                </a>
              )}{" "}
              <span className="text-ink-mute text-xs">
                {bytes(file.size_bytes)}
                {file.problem && ` · not kept: ${file.problem}`}
              </span>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
