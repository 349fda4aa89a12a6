import createClient, { type Middleware } from "openapi-fetch";
import { newId } from "../lib/id";
import { ApiProblem } from "./problem";
import type { paths } from "./schema";
import type { Problem } from "./types";

let csrfToken = "";

/** Every unsafe request carries it; it comes with the session. */
export function rememberCsrfToken(token: string) {
  csrfToken = token;
}

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

const headers: Middleware = {
  onRequest({ request }) {
    request.headers.set("Accept", "application/json");
    if (SAFE.has(request.method)) return;
    if (csrfToken) request.headers.set("X-CSRF-Token", csrfToken);
    if (request.method === "POST") request.headers.set("Idempotency-Key", newId());
  },
  async onResponse({ response }) {
    if (!response.ok) throw new ApiProblem(await readProblem(response));
  },
};

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: (request) => fetch(request) });
api.use(headers);

async function readProblem(response: Response): Promise<Problem> {
  const fallback = { type: "about:blank", title: response.statusText || "The request failed", status: response.status };
  try {
    const body = (await response.json()) as Partial<Problem>;
    return { ...fallback, ...body };
  } catch {
    return fallback;
  }
}

/** The body of an answer that succeeded: failures were thrown as {@link ApiProblem} before. */
export function body<T>(answer: { data?: T }): T {
  return answer.data as T;
}
