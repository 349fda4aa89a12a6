import type { InfiniteData, UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./button";
import { ErrorState, SkeletonLines } from "./states";

const WIDTHS = ["w-1/2", "w-2/3", "w-3/5"] as const;
const sentence = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);

interface Waiting {
  isPending: boolean;
  isError: boolean;
  error: unknown;
  refetch: () => unknown;
}

function waiting(query: Waiting, what: string): ReactNode {
  if (query.isPending) return <SkeletonLines label={`Loading ${what}`} widths={WIDTHS} />;
  return (
    <ErrorState
      error={query.error}
      title={`${sentence(what)} could not be loaded`}
      onRetry={() => void query.refetch()}
    />
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  /** What is loaded, as in "Loading the schedules". */
  what: string;
  children: (data: T) => ReactNode;
}

/** What a query answers; meanwhile that it is loading, or why it is not there. What was read before stays where reading it again fails. */
export function Loaded<T>({ query, what, children }: LoadedProps<T>) {
  if (query.data === undefined) return waiting(query, what);
  return children(query.data);
}

interface LoadedPagesProps<T> {
  query: UseInfiniteQueryResult<InfiniteData<{ data: T[] }>>;
  what: string;
  /** What stands there where there is nothing. */
  empty: ReactNode;
  children: (all: T[]) => ReactNode;
}

/** The same, a page at a time. */
export function LoadedPages<T>({ query, what, empty, children }: LoadedPagesProps<T>) {
  if (query.data === undefined) return waiting(query, what);
  const all = query.data.pages.flatMap((page) => page.data);
  if (all.length === 0) return empty;
  return (
    <>
      {children(all)}
      {query.hasNextPage && (
        <Button className="mt-3" onClick={() => void query.fetchNextPage()} busy={query.isFetchingNextPage}>
          Older
        </Button>
      )}
    </>
  );
}
