import { Link } from "@tanstack/react-router";
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { useNames } from "@/shared/api/members";
import type { Command, Problem } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { clockTime, fullTime } from "@/shared/lib/time";
import type { InFlight } from "@/shared/live/outbox";
import { Button } from "@/shared/ui/button";
import { Markdown } from "@/shared/ui/markdown";
import { Avatar } from "@/shared/ui/small";

interface CommandMessageProps {
  command: Command;
  onAction: (text: string) => void;
  /** Whether its actions are still to be offered. */
  isCurrent: boolean;
}

/** A stored message with its reply. */
export function CommandMessage({ command, onAction, isCurrent }: CommandMessageProps) {
  const nameOf = useNames();
  return (
    <li className="space-y-2" data-testid="message">
      <Said author={nameOf(command.author)} at={command.created_at} via={command.origin} text={command.text} />
      <Answer>
        {command.reply ? <Markdown text={command.reply.text} /> : !command.finished_at && <Working />}
        {command.problem && !command.reply && <ProblemText problem={command.problem} />}
        {isCurrent && command.reply && command.reply.actions.length > 0 && (
          <div className="mt-2 flex flex-wrap gap-1.5">
            {command.reply.actions.map((action) => (
              <Button
                key={`${action.label}:${action.command}`}
                size="small"
                title={action.command}
                onClick={() => onAction(action.command)}
              >
                {action.label}
              </Button>
            ))}
          </div>
        )}
        {command.proposal != null && (
          <Link
            to="/proposals/$number"
            params={{ number: String(command.proposal) }}
            className="mt-1.5 inline-block text-ink-mute text-xs underline decoration-line-strong underline-offset-2 hover:text-ink"
          >
            proposal #{command.proposal}
          </Link>
        )}
      </Answer>
    </li>
  );
}

interface UnderWayProps {
  item: InFlight;
  author: string;
  connected: boolean;
  onRetry: () => void;
  onDiscard: () => void;
}

/** A message of ours that is on its way: shown at once, its answer as it streams in. */
export function UnderWayMessage({ item, author, connected, onRetry, onDiscard }: UnderWayProps) {
  const found = item.operations.length;
  return (
    <li className="space-y-2" data-testid="message">
      <Said author={author} at={item.sentAt} text={item.frame.text} faint={!item.command && !item.problem} />
      <Answer>
        {item.problem ? (
          <>
            <ProblemText problem={item.problem} />
            <div className="mt-2 flex gap-1.5">
              <Button size="small" icon={<RotateCw className="size-3" />} onClick={onRetry}>
                Send again
              </Button>
              <Button size="small" look="quiet" onClick={onDiscard}>
                Remove
              </Button>
            </div>
          </>
        ) : item.streamedText ? (
          <Markdown text={item.streamedText} />
        ) : (
          <Working>
            {!item.command && !connected
              ? "Waiting for the connection; it will be sent."
              : found > 0
                ? `${found} ${found === 1 ? "change" : "changes"} so far`
                : undefined}
          </Working>
        )}
      </Answer>
    </li>
  );
}

function Said({
  author,
  at,
  via,
  text,
  faint,
}: {
  author: string;
  at: string;
  via?: string;
  text: string;
  faint?: boolean;
}) {
  return (
    <div className={cx("animate-arrive transition-opacity", faint && "opacity-70")}>
      <div className="mb-1 flex items-center gap-2 text-xs">
        <Avatar name={author} />
        <span className="font-medium">{author}</span>
        {via && via !== "web" && <span className="text-ink-mute">via {via}</span>}
        <time dateTime={at} title={fullTime(at)} className="text-ink-mute">
          {clockTime(at)}
        </time>
      </div>
      <p className="whitespace-pre-wrap break-words pl-7">{text}</p>
    </div>
  );
}

function Answer({ children }: { children: ReactNode }) {
  return <div className="ml-7 rounded-lg bg-sunken px-3 py-2 text-sm empty:hidden">{children}</div>;
}

function Working({ children }: { children?: ReactNode }) {
  return (
    <p className="flex items-center gap-2 text-ink-mute" data-testid="working">
      <span className="flex gap-1" aria-hidden="true">
        <span className="size-1.5 animate-breathe rounded-full bg-ink-mute" />
        <span className="size-1.5 animate-breathe rounded-full bg-ink-mute [animation-delay:200ms]" />
        <span className="size-1.5 animate-breathe rounded-full bg-ink-mute [animation-delay:400ms]" />
      </span>
      {children ?? "Thinking"}
    </p>
  );
}

function ProblemText({ problem }: { problem: Problem }) {
  return (
    <div className="text-removed-ink" role="alert">
      <p>{problem.detail || problem.title}</p>
      {problem.errors?.map((fault) => (
        <p key={`${fault.path}:${fault.message}`} className="mt-1 text-xs">
          {fault.message} {fault.fix}
        </p>
      ))}
    </div>
  );
}
