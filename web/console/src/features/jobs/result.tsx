import { Download } from "lucide-react";
import type { Job } from "@/shared/api/types";
import { saveText } from "@/shared/lib/save-file";
import { Button } from "@/shared/ui/button";
import { Markdown } from "@/shared/ui/markdown";
import { Scroll } from "@/shared/ui/scroll";
import { Json } from "@/shared/ui/small";

interface Finding {
  line: number;
  column: number;
  rule: string;
  message: string;
}

/** What a tool gave: a text, what it found, or whatever else as it is. */
export function Result({ job }: { job: Job }) {
  const result = (job.result ?? {}) as {
    text?: string;
    name?: string;
    media_type?: string;
    findings?: Finding[];
    changed?: boolean;
  };
  if (Array.isArray(result.findings)) return <Findings findings={result.findings} />;
  const { text, name = `${job.kind}.md`, media_type: mediaType = "text/markdown" } = result;
  if (typeof text !== "string") {
    return <Json value={job.result} />;
  }
  return (
    <div className="rounded-xl border border-line bg-surface" data-testid="result">
      <div className="flex items-center justify-between gap-3 border-line border-b px-4 py-2">
        <p className="min-w-0 truncate text-ink-mute text-sm">
          {name}
          {result.changed === false && " · it was in this form already"}
        </p>
        <Button
          size="small"
          icon={<Download className="size-3.5" aria-hidden="true" />}
          onClick={() => saveText(text, name, mediaType)}
        >
          Download
        </Button>
      </div>
      <Scroll className="max-h-[32rem] px-4 py-3 text-sm">
        {job.kind === "changelog" ? (
          <Markdown text={text} />
        ) : (
          <pre className="whitespace-pre-wrap break-words font-mono text-xs">{text}</pre>
        )}
      </Scroll>
    </div>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  if (findings.length === 0) return <p className="text-added-ink text-sm">Nothing is wrong with it.</p>;
  return (
    <ol className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="findings">
      {findings.map(({ line, column, rule, message }, index) => (
        <li key={index} className="flex flex-wrap gap-x-4 gap-y-1 px-4 py-2 text-sm">
          <span className="w-16 shrink-0 text-ink-mute tabular-nums">
            {line}:{column}
          </span>
          <span className="min-w-0 flex-1">{message}</span>
          <code className="font-mono text-ink-mute text-xs">{rule}</code>
        </li>
      ))}
    </ol>
  );
}
