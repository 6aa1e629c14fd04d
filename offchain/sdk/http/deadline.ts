import { BursarError } from "#offchain/core/error.ts";

/** How long an answer may take, ms. */
export interface Deadlines {
  /** Of what only reads (GET). Above 20 s, for which the service holds a read that waits for something. */
  readMs: number;
  /** Of what changes something. Above 90 s, for which the service waits for a block. */
  writeMs: number;
}

export const usualDeadlines: Deadlines = { readMs: 30_000, writeMs: 120_000 };

/** What is asked, for the error. */
interface Asked {
  url: URL;
  method: string;
  signal?: AbortSignal | undefined;
}

/**
 * Lets the work be aborted when it is not done by the deadline, and by the caller's own signal.
 * @throws BursarError SERVICE_UNREACHABLE at the deadline; whether the request arrived is then not known
 */
export async function byDeadline<T>(
  deadlineMs: number,
  { url, method, signal }: Asked,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const why = `not within ${Math.round(deadlineMs / 1_000)} s`;
    late.abort(
      new BursarError("SERVICE_UNREACHABLE", `no answer from ${url.origin}: ${why}`, {
        facts: { url: url.href, method, why, deadlineMs },
      }),
    );
  }, deadlineMs);
  try {
    return await work(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}
