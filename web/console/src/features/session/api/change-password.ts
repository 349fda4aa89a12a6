import { useMutation } from "@tanstack/react-query";
import { api } from "@/shared/api/client";

export function useChangePassword() {
  return useMutation({
    mutationFn: async (input: { current: string; new: string }) => {
      await api.PUT("/api/v1/session/password", { body: input });
    },
  });
}
