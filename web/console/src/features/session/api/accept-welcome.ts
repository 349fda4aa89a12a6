import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useBeginSession } from "./use-begin-session";

export function useAcceptWelcome() {
  const begin = useBeginSession();
  return useMutation({
    mutationFn: async (input: { token: string; name?: string; email?: string; password?: string }) =>
      body(await api.POST("/api/v1/session/welcome", { body: input })),
    onSuccess: begin,
  });
}
