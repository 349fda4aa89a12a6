import { useQueryClient } from "@tanstack/react-query";
import { rememberCsrfToken } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";
import type { Session } from "@/shared/api/types";

/** Takes over a session that the server has just begun: nothing of an earlier one stays in the cache. */
export function useBeginSession() {
  const client = useQueryClient();
  return (session: Session) => {
    rememberCsrfToken(session.csrf_token);
    client.clear();
    client.setQueryData(keys.session, session);
  };
}
