import { type ReactNode, type Ref, useEffect, useRef } from "react";
import { useLive, useLiveStatus } from "@/shared/live/live-context";
import { Button } from "@/shared/ui/button";
import { ErrorState, SkeletonLines } from "@/shared/ui/states";
import { Composer } from "./composer";
import { CommandMessage, UnderWayMessage } from "./message";
import { useConversation } from "./use-conversation";

interface ConversationProps {
  project?: string;
  task?: string;
  /** The open proposal that is shown beside it. */
  proposal?: number;
  /** The proposal that what is written refines; without one the server looks for the conversation's own. */
  refines?: number;
  author: string;
  placeholder: string;
  suggestions: readonly string[];
  /** What stands before the first message; scrolls with the messages. */
  above?: ReactNode;
  /** Shown where nothing was said yet. */
  empty?: ReactNode;
  inputRef?: Ref<HTMLTextAreaElement>;
}

export function Conversation({
  project,
  task,
  proposal,
  refines,
  author,
  placeholder,
  suggestions,
  above,
  empty,
  inputRef,
}: ConversationProps) {
  const live = useLive();
  const connected = useLiveStatus() === "open";
  const { query, commands, underWay } = useConversation(project, task);
  const send = (text: string) => live.send({ text, project, task, proposal: refines });
  const isEmpty = commands.length + underWay.length === 0;
  const last = underWay.at(-1);
  const end = useFollowedEnd(
    `${commands.at(-1)?.id}:${underWay.length}:${last?.streamedText.length}:${last?.operations.length}`,
    Boolean(above) && isEmpty,
  );
  const newestReply = commands.at(-1)?.reply?.text;

  return (
    <section className="flex min-h-0 flex-1 flex-col" aria-label="Conversation">
      <div className="min-h-0 flex-1 overflow-y-auto">
        {above}
        {query.isPending ? (
          <SkeletonLines label="Loading the conversation" widths={["w-1/3", "w-5/6", "w-2/3"]} />
        ) : query.isError && isEmpty ? (
          <ErrorState
            error={query.error}
            title="The conversation could not be loaded"
            onRetry={() => query.refetch()}
          />
        ) : (
          <>
            {query.hasNextPage && (
              <div className="pt-3 text-center">
                <Button size="small" look="quiet" busy={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
                  Earlier messages
                </Button>
              </div>
            )}
            {isEmpty ? (
              empty
            ) : (
              <ol className="space-y-5 px-4 py-4">
                {commands.map((command) => (
                  <CommandMessage
                    key={command.id}
                    command={command}
                    onAction={send}
                    // What could be done next is offered while it still can be.
                    isCurrent={
                      command === commands.at(-1) && (command.proposal === null || command.proposal === proposal)
                    }
                  />
                ))}
                {underWay.map((item) => (
                  <UnderWayMessage
                    key={item.frame.id}
                    item={item}
                    author={author}
                    connected={connected}
                    onRetry={() => live.retry(item.frame.id)}
                    onDiscard={() => live.outbox.remove(item.frame.id)}
                  />
                ))}
              </ol>
            )}
          </>
        )}
        <div ref={end} />
      </div>
      <div className="sr-only" aria-live="polite">
        {underWay.length === 0 ? newestReply : ""}
      </div>
      <div className="px-3 pt-1 pb-3">
        {suggestions.length > 0 && (
          <div className="mb-2 flex flex-wrap gap-1.5">
            {suggestions.map((text) => (
              <Button key={text} size="small" className="rounded-full font-normal" onClick={() => send(text)}>
                {text}
              </Button>
            ))}
          </div>
        )}
        <Composer placeholder={placeholder} onSend={send} draftKey={task ?? project ?? "new"} inputRef={inputRef} />
      </div>
    </section>
  );
}

/** Keeps the newest message in sight as `state` changes; `still` leaves the page where it is. */
function useFollowedEnd(state: string, still: boolean) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state && !still) end.current?.scrollIntoView({ block: "nearest" });
  }, [state, still]);
  return end;
}
