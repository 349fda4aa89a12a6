import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import { type Tagged, tagged } from "@/shared/api/tagged";
import type { Document, DocumentState } from "@/shared/api/types";
import { useChange } from "@/shared/api/use-change";

/** Newest first, a page at a time. */
export const documentsQuery = (words: string, state?: DocumentState) =>
  infiniteQueryOptions({
    queryKey: keys.documentList(words, state),
    queryFn: async ({ signal, pageParam }) =>
      body(
        await api.GET("/api/v1/documents", {
          signal,
          params: { query: { q: words || undefined, state, limit: 50, cursor: pageParam } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.meta.next_cursor ?? undefined,
  });

export async function readDocument(id: string): Promise<Tagged<Document>> {
  return tagged(await api.GET("/api/v1/documents/{id}", { params: { path: { id } } }));
}

export const documentQuery = (id: string) =>
  queryOptions({ queryKey: keys.document(id), queryFn: () => readDocument(id) });

export const versionsQuery = (id: string) =>
  queryOptions({
    queryKey: keys.documentVersions(id),
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/documents/{id}/versions", { signal, params: { path: { id }, query: { limit: 200 } } }),
      ).data,
  });

export const useCreateDocument = () =>
  useChange(keys.documents, async (made: { title: string; content: string }) =>
    body(await api.POST("/api/v1/documents", { body: { ...made, keep_days: null } })),
  );

export const useEditDocument = (id: string) =>
  useChange(keys.documents, async ({ etag, title, content }: Tagged<{ title: string; content: string }>) =>
    body(
      await api.PATCH("/api/v1/documents/{id}", {
        params: { path: { id } },
        headers: { "If-Match": etag },
        body: { title, content },
      }),
    ),
  );

/** Days after its last change at which it is dropped; 0 for never. */
export const useKeepDocument = (id: string) =>
  useChange(keys.documents, async (days: number) =>
    body(await api.PATCH("/api/v1/documents/{id}", { params: { path: { id } }, body: { keep_days: days } })),
  );

export const useMoveDocument = (id: string) =>
  useChange(keys.documents, async (to: DocumentState) =>
    body(await api.POST("/api/v1/documents/{id}/transition", { params: { path: { id } }, body: { to } })),
  );

export const useAttach = (id: string) =>
  useChange(keys.documents, async (file: File) =>
    body(
      await api.POST("/api/v1/documents/{id}/attachments", {
        params: { path: { id } },
        body: { name: file.name, media_type: file.type || "application/octet-stream", data: await base64(file) },
      }),
    ),
  );

export const useArrange = (id: string) =>
  useChange(keys.documents, async (arranged: { order: string[]; primary: string }) =>
    body(await api.PUT("/api/v1/documents/{id}/attachments", { params: { path: { id } }, body: arranged })),
  );

export const useDetach = () =>
  useChange(keys.documents, async (id: string) => {
    await api.DELETE("/api/v1/attachments/{id}", { params: { path: { id } } });
  });

/** What follows the comma of a data URL. */
function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error ?? new Error("The file cannot be read"));
    reader.readAsDataURL(file);
  });
}
