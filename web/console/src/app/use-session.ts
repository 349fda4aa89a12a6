import { useSuspenseQuery } from "@tanstack/react-query";
import { sessionQuery } from "@/features/session/api/session";

/** Who is signed in; inside of the shell there always is somebody. */
export function useSession() {
  return useSuspenseQuery(sessionQuery).data;
}
