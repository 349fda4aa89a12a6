import { queryOptions } from "@tanstack/react-query";
import { api, body, rememberCsrfToken } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** Who is signed in; a 401 problem where nobody is. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: async ({ signal }) => {
    const session = body(await api.GET("/api/v1/session", { signal }));
    rememberCsrfToken(session.csrf_token);
    return session;
  },
  staleTime: Number.POSITIVE_INFINITY,
});
