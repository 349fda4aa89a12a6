import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

/** A change, after which what has the key is read again, whether it succeeded or not. */
export function useChange<Input, Made>(stale: QueryKey, mutationFn: (input: Input) => Promise<Made>) {
  const client = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => client.invalidateQueries({ queryKey: stale }) });
}
