/** What was read, with the tag by which a change of it says what it was meant for. */
export type Tagged<T> = T & { etag: string };

/** An answer with its `ETag`. */
export function tagged<T extends object>({ data, response }: { data?: T; response: Response }): Tagged<T> {
  return { ...(data as T), etag: response.headers.get("ETag") ?? "*" };
}
