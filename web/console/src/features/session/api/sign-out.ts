import { useMutation } from "@tanstack/react-query";
import { api } from "@/shared/api/client";

/** Ends this session, or with `everywhere` all of the member's; the page is then loaded anew, so that nothing stays in memory. */
export function useSignOut() {
  return useMutation({
    mutationFn: async (everywhere: boolean) => {
      await (everywhere ? api.DELETE("/api/v1/session/all") : api.DELETE("/api/v1/session"));
    },
    onSuccess: () => {
      sessionStorage.clear();
      window.location.assign("/sign-in");
    },
  });
}
