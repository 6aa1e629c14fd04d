import { BursarError } from "#offchain/core/error.ts";

/** How long an answer may take, ms; `Infinity`: any time. */
export interface Deadlines {
  /** Of what only reads (GET). */
  readMs: number;
  /** Of what changes something: the service answers some of these when their transaction is mined. */
  writeMs: number;
}

type Fetch = typeof globalThis.fetch;

/** Above what the service takes to answer: it holds a read for 20 s at most, and waits 90 s for a block. */
const usual: Deadlines = { readMs: 30_000, writeMs: 120_000 };
const chosen = new WeakMap<Fetch, Deadlines>();

/** A client's `fetch` option for other deadlines than 30 s of a read and two minutes of a write. */
export function withDeadlines(deadlines: Partial<Deadlines>, fetch: Fetch = globalThis.fetch): Fetch {
  const own: Fetch = (input, init) => fetch(input, init);
  chosen.set(own, { ...usual, ...deadlines });
  return own;
}

/**
 * Fetches, and gives up when the answer is not whole by the deadline. An event stream has begun when its head is there,
 * and then takes as long as it likes.
 * @throws BursarError SERVICE_UNREACHABLE at the deadline; whether the request arrived is then not known
 */
export async function fetchInTime(fetch: Fetch, url: URL, init: RequestInit): Promise<Response> {
  const { readMs, writeMs } = chosen.get(fetch) ?? usual;
  const method = init.method ?? "GET";
  const deadlineMs = method === "GET" ? readMs : writeMs;
  if (!Number.isFinite(deadlineMs)) return fetch(url, init);
  const late = new AbortController();
  const timer = setTimeout(() => {
    const why = `not within ${Math.round(deadlineMs / 1_000)} s`;
    late.abort(
      new BursarError("SERVICE_UNREACHABLE", `no answer from ${url.origin}: ${why}`, {
        facts: { url: url.href, method, why, deadlineMs },
      }),
    );
  }, deadlineMs);
  const end = () => clearTimeout(timer);
  const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
  const response = await fetch(url, { ...init, signal }).catch((error: unknown) => {
    end();
    throw error;
  });
  if (!response.headers.get("content-type")?.startsWith("application/json")) {
    end();
    return response;
  }
  const read = response.json.bind(response);
  return Object.defineProperty(response, "json", { value: () => read().finally(end) });
}
