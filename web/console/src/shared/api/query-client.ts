import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "./problem";

/** What the server refused is not asked again; what did not reach it is, twice. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (count, error) => !(error instanceof ApiProblem && error.status < 500) && count < 2,
      },
    },
  });
}
