import { type FormEvent, useState } from "react";
import { useNames } from "@/shared/api/members";
import { messageOf } from "@/shared/api/problem";
import type { Proposal } from "@/shared/api/types";
import { fullTime, relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { FormFaults, TextArea } from "@/shared/ui/field";
import { Markdown } from "@/shared/ui/markdown";
import { Avatar } from "@/shared/ui/small";
import { useComment } from "./api/comment";
import { Files } from "./files";

/** How a proposal came to be: the words that asked for each draft, the decision, the comments. */
export function ProposalRecord({ proposal }: { proposal: Proposal }) {
  const nameOf = useNames();
  const [text, setText] = useState("");
  const comment = useComment(proposal.number);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim()) comment.mutate(text.trim(), { onSuccess: () => setText("") });
  };
  const steps = [
    ...proposal.revisions.map((revision) => ({
      key: `r${revision.revision}`,
      at: revision.at,
      who: revision.author,
      what: revision.revision === 1 ? "asked for it" : "refined",
      text: revision.message,
    })),
    ...proposal.comments.map((entry) => ({
      key: entry.id,
      at: entry.at,
      who: entry.author,
      what: entry.operation ? `on operation ${entry.operation}` : "commented",
      text: entry.text,
    })),
    ...(proposal.decided
      ? [
          {
            key: "decided",
            at: proposal.decided.at,
            who: proposal.decided.by,
            what: verdict(proposal),
            text: proposal.decided.reason ?? "",
          },
        ]
      : []),
  ].sort((a, b) => a.at.localeCompare(b.at));
  return (
    <section aria-label="Record" className="space-y-4">
      <ol className="space-y-4">
        {steps.map((step) => (
          <li key={step.key} className="flex gap-2.5">
            <Avatar name={nameOf(step.who)} />
            <div className="min-w-0 flex-1">
              <p className="text-xs">
                <span className="font-medium">{nameOf(step.who)}</span>{" "}
                <span className="text-ink-mute">
                  {step.what} ·{" "}
                  <time dateTime={step.at} title={fullTime(step.at)}>
                    {relativeTime(step.at)}
                  </time>
                </span>
              </p>
              {step.text && (
                <div className="mt-0.5 text-ink-soft text-sm">
                  <Markdown text={step.text} />
                </div>
              )}
            </div>
          </li>
        ))}
      </ol>
      <Files number={proposal.number} />
      <form onSubmit={submit} className="space-y-2">
        <TextArea label="Comment" value={text} onChange={(event) => setText(event.target.value)} rows={2} />
        <FormFaults faults={comment.error ? [messageOf(comment.error)] : []} />
        <Button type="submit" disabled={!text.trim()} busy={comment.isPending}>
          Comment
        </Button>
      </form>
    </section>
  );
}

function verdict(proposal: Proposal): string {
  if (proposal.state === "rejected") return "rejected it";
  if (proposal.state === "withdrawn") return "withdrew it";
  const kept = proposal.operations.filter(({ state }) => state === "accepted").length;
  return `accepted ${kept} of ${proposal.operations.length}`;
}
