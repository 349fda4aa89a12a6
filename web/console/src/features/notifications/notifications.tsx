import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bell } from "lucide-react";
import { useState } from "react";
import type { Notification } from "@/shared/api/types";
import { cx } from "@/shared/lib/cx";
import { relativeTime } from "@/shared/lib/time";
import { Button } from "@/shared/ui/button";
import { EmptyState, ErrorState, SkeletonLines } from "@/shared/ui/states";
import { notificationsQuery, useRead } from "./api/notifications";

/** What one was told: here, and on the channels where one is known. */
export function Notifications() {
  const [onlyUnread, setOnlyUnread] = useState(false);
  const list = useInfiniteQuery(notificationsQuery(onlyUnread));
  const read = useRead();
  const all = list.data?.pages.flatMap((page) => page.data) ?? [];
  const unread = list.data?.pages[0]?.unread ?? 0;
  return (
    <>
      <div className="mb-4 flex min-h-8 flex-wrap items-center gap-3">
        <label className="flex cursor-pointer items-center gap-2 text-ink-soft text-sm">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={onlyUnread}
            onChange={(event) => setOnlyUnread(event.target.checked)}
          />
          Only what I have not read
        </label>
        <span className="flex-1" />
        {unread > 0 && (
          <Button size="small" onClick={() => read.mutate(undefined)} busy={read.isPending}>
            Mark all as read
          </Button>
        )}
      </div>
      {list.isPending ? (
        <SkeletonLines label="Loading the notifications" widths={["w-1/2", "w-2/3", "w-3/5"]} />
      ) : list.isError ? (
        <ErrorState error={list.error} title="The notifications could not be loaded" onRetry={() => list.refetch()} />
      ) : all.length === 0 ? (
        <EmptyState
          icon={<Bell className="size-6" aria-hidden="true" />}
          title={onlyUnread ? "You have read everything" : "Nobody has asked for you yet"}
        >
          Reviews that wait for you, mentions, tasks that become yours or fall due: all of it is told here, and on the
          channels where you are known.
        </EmptyState>
      ) : (
        <>
          <ul className="divide-y divide-line rounded-xl border border-line bg-surface" data-testid="notification-list">
            {all.map((note) => (
              <Line key={note.id} note={note} onRead={() => note.read_at === null && read.mutate([note.id])} />
            ))}
          </ul>
          {list.hasNextPage && (
            <Button className="mt-3" onClick={() => list.fetchNextPage()} busy={list.isFetchingNextPage}>
              Older
            </Button>
          )}
        </>
      )}
    </>
  );
}

function Line({ note, onRead }: { note: Notification; onRead: () => void }) {
  const isNew = note.read_at === null;
  return (
    <li>
      <Link to={note.path} onClick={onRead} className="flex items-baseline gap-3 px-4 py-3 hover:bg-hover">
        <span
          className={cx("size-2 shrink-0 -translate-y-px rounded-full", isNew ? "bg-accent" : "bg-transparent")}
          aria-hidden="true"
        />
        <span className={cx("min-w-0 flex-1 break-words text-sm", !isNew && "text-ink-soft")}>
          {isNew && <span className="sr-only">New: </span>}
          {note.words} <span className={cx(isNew && "font-medium")}>{note.target}</span>
          {note.title && <span className="block text-ink-mute">{note.title}</span>}
        </span>
        <time dateTime={note.at} className="shrink-0 text-ink-mute text-xs">
          {relativeTime(note.at)}
        </time>
      </Link>
    </li>
  );
}
