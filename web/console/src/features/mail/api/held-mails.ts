import { queryOptions } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { keys } from "@/shared/api/keys";

/** The newest hundred. Only for admins: others get a 403 problem. */
export const heldMailsQuery = queryOptions({
  queryKey: keys.heldMails,
  queryFn: async ({ signal }) =>
    body(await api.GET("/api/v1/channels/email/quarantine", { params: { query: { limit: 100 } }, signal })).data,
});
