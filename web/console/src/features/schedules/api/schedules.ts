import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import { isStatus } from "@/shared/api/problem";
import { type Tagged, tagged } from "@/shared/api/tagged";
import type { NewSchedule, Schedule } from "@/shared/api/types";
import { useChange } from "@/shared/api/use-change";

export const schedulesQuery = infiniteQueryOptions({
  queryKey: keys.scheduleList,
  queryFn: async ({ signal, pageParam }) =>
    body(await api.GET("/api/v1/schedule", { signal, params: { query: { limit: 50, cursor: pageParam } } })),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => (page.meta.next_cursor ? Number(page.meta.next_cursor) : undefined),
  // Its times come without anybody doing anything.
  refetchInterval: 15_000,
});

export async function readSchedule(id: string): Promise<Tagged<Schedule>> {
  return tagged(await api.GET("/api/v1/schedule/{id}", { params: { path: { id } } }));
}

/** What became of its times, newest first. */
export const runsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.scheduleRuns(id),
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/schedule/{id}/runs", { signal, params: { path: { id }, query: { limit: 20 } } }))
        .data,
    refetchInterval: 5_000,
  });

/** When a rule would run; null while there is none. */
export const previewQuery = (rule: string, zone: string) =>
  queryOptions({
    queryKey: keys.preview(rule, zone),
    queryFn: async ({ signal }) =>
      body(await api.POST("/api/v1/schedule/preview", { signal, body: { rule, zone, count: 5 } })),
    enabled: rule.trim() !== "",
    placeholderData: keepPreviousData,
    retry: false,
  });

/** Makes a schedule, or changes the one that has been read. */
export const useSaveSchedule = (known: Tagged<Schedule> | null) =>
  useChange(keys.schedules, async (wanted: NewSchedule) =>
    known ? change(known, wanted) : body(await api.POST("/api/v1/schedule", { body: wanted })),
  );

/** How often a change is tried while runs come between. */
const TRIES = 5;

/** Every run moves a schedule on, and its tag with it: only where people have set it otherwise is a change meant for another one. */
async function change(known: Tagged<Schedule>, wanted: NewSchedule, tries = TRIES): Promise<Schedule> {
  try {
    return body(
      await api.PATCH("/api/v1/schedule/{id}", {
        params: { path: { id: known.id } },
        headers: { "If-Match": known.etag },
        // Written as it was, it keeps the words that it was written in.
        body: wanted.rule === known.rule ? { ...wanted, rule: null } : wanted,
      }),
    );
  } catch (error) {
    if (tries === 0 || !isStatus(error, 412)) throw error;
    const now = await readSchedule(known.id);
    if (settings(now) !== settings(known)) throw error;
    return change(now, wanted, tries - 1);
  }
}

function settings({ name, plain_rule, zone, action, missed, catch_up_limit, overlap, owner }: Schedule): string {
  return JSON.stringify([name, plain_rule, zone, action, missed, catch_up_limit, overlap, owner]);
}

export const useSwitchSchedule = () =>
  useChange(keys.schedules, async ({ id, on }: { id: string; on: boolean }) => {
    const params = { params: { path: { id } } };
    return body(
      on
        ? await api.POST("/api/v1/schedule/{id}/resume", params)
        : await api.POST("/api/v1/schedule/{id}/pause", params),
    );
  });

export const useDropSchedule = () =>
  useChange(keys.schedules, async (id: string) => {
    await api.DELETE("/api/v1/schedule/{id}", { params: { path: { id } } });
  });
