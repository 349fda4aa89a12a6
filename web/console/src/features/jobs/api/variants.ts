import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import { type Tagged, tagged } from "@/shared/api/tagged";
import type { ExportFormat, Variant } from "@/shared/api/types";
import { useChange } from "@/shared/api/use-change";

/** What a job made, as it makes it. */
export const variantsQuery = (job: string, isMaking: boolean) =>
  queryOptions({
    // Once it is over they are read once more: the last may have come since.
    queryKey: [...keys.variants(job), isMaking],
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/jobs/{id}/variants", { signal, params: { path: { id: job } } })).data,
    refetchInterval: isMaking ? 1_000 : false,
    placeholderData: keepPreviousData,
  });

/** One, as it is now. */
export async function readVariant(id: string): Promise<Tagged<Variant>> {
  return tagged(await api.GET("/api/v1/variants/{id}", { params: { path: { id } } }));
}

interface Change {
  id: string;
  /** Of what it is meant to replace. */
  etag: string;
  title: string;
  content: string;
}

export const useEditVariant = (job: string) =>
  useChange(keys.variants(job), async ({ id, etag, title, content }: Change) =>
    body(
      await api.PUT("/api/v1/variants/{id}", {
        params: { path: { id }, header: { "If-Match": etag } },
        body: { title, content },
      }),
    ),
  );

/** The first of them and those that go with it. */
function split(ids: string[]) {
  const [id = "", ...also] = ids;
  return { params: { path: { id } }, body: { also } };
}

export function useAcceptVariants(job: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (ids: string[]) => body(await api.POST("/api/v1/variants/{id}/accept", split(ids))).documents,
    onSettled: () => {
      void client.invalidateQueries({ queryKey: keys.variants(job) });
      void client.invalidateQueries({ queryKey: keys.documents });
    },
  });
}

/** Writes variants as one file. */
export function useExportVariants() {
  return useMutation({
    mutationFn: async ({ ids, format }: { ids: string[]; format: ExportFormat }) => {
      const { params, body: also } = split(ids);
      return body(await api.POST("/api/v1/export/{id}", { params: { ...params, query: { format } }, body: also }));
    },
  });
}
