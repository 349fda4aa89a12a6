import { useMutation } from "@tanstack/react-query";
import { api, body } from "@/shared/api/client";
import { useBeginSession } from "./use-begin-session";

export function useSignIn() {
  const begin = useBeginSession();
  return useMutation({
    mutationFn: async (input: { email: string; password: string }) =>
      body(await api.POST("/api/v1/session", { body: input })),
    onSuccess: begin,
  });
}
