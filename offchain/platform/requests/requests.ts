import type { Proof } from "#offchain/core/call/caller.ts";
import { BursarError, type ErrorCode, type ErrorFacts, type FieldError } from "#offchain/core/error.ts";

/** Where requests that were let in are remembered. */
export interface SeenRequests {
  /** Remembers the request before it runs; one that is remembered already comes back with its answer, if that is known. */
  remember(proof: Proof): Promise<{ isFirst: true } | { isFirst: false; answer: string | null }>;
  keep(proof: Proof, answer: string): Promise<void>;
  /** Forgets the requests that ended before then; how many. */
  forget(before: number): Promise<number>;
}

/** Runs what a signed request asks for; for the same request once more, gives the first answer and runs nothing. */
export type RunOnce = (proof: Proof, run: () => Promise<unknown>) => Promise<unknown>;

type Kept =
  | { readonly output: unknown }
  | { readonly code: ErrorCode; readonly message: string; facts: ErrorFacts; fields: readonly FieldError[] };

/**
 * A repetition that comes while the first one runs here waits for its answer; there are as many such as requests run. One
 * that comes to another instance meanwhile, or after a crash, is refused: see below.
 */
export function runOnce(seen: SeenRequests): RunOnce {
  const first = firstTime(seen);
  const running = new Map<Proof["digest"], Promise<unknown>>();
  return (proof, run) => {
    const known = running.get(proof.digest);
    if (known) return known;
    const answer = first(proof, run).finally(() => running.delete(proof.digest));
    running.set(proof.digest, answer);
    return answer;
  };
}

/**
 * A request is remembered before it runs. One that ended in an error that says nothing of what happened keeps no answer:
 * it is not run again either, since newer requests may have come after it. Its signature is used up, so its caller is told
 * to sign anew. Only a request that was not even remembered, because nothing reached the database, may come again as it is.
 */
const firstTime =
  (seen: SeenRequests): RunOnce =>
  async (proof, run) => {
    const remembered = await seen.remember(proof).catch((error: unknown) => {
      throw isUnsent(error) ? error : usedUp(error);
    });
    if (!remembered.isFirst) return answerOf(remembered.answer);
    // What has run has run: when its answer cannot be kept, a repetition is refused rather than run.
    const keep = (kept: Kept) => seen.keep(proof, written(kept)).catch(() => {});
    try {
      const output = await run();
      await keep({ output });
      return output;
    } catch (error) {
      if (!isDecided(error)) throw usedUp(error);
      const { code, message, facts, fields } = error;
      await keep({ code, message, facts, fields });
      throw error;
    }
  };

/** Whether it is a refusal, and not an outage or a fault that may have come in the middle of the work. */
const isDecided = (error: unknown): error is BursarError =>
  error instanceof BursarError && error.remedy !== "retry" && error.remedy !== "sign";

/** Whether the database was never asked. */
const isUnsent = (error: unknown): boolean =>
  error instanceof BursarError && (error.code === "OVERLOADED" || error.facts.fault === "CONNECTION_FAILED");

/** The same error for a caller whose signature has been used up by it. */
function usedUp(error: unknown): BursarError {
  const { code, message, facts, fields } =
    error instanceof BursarError ? error : new BursarError("INTERNAL", "the service failed");
  const told = `${message}; whether the request was carried out is not known: look at what it did, or sign it anew`;
  return new BursarError(code, told, { facts, fields, remedy: "sign", cause: error });
}

function answerOf(answer: string | null): unknown {
  if (answer === null)
    throw new BursarError(
      "REQUEST_REPEATED",
      "this signed request has come before, and its answer is not known; look at what it did, or sign it anew",
    );
  const kept = JSON.parse(answer) as Kept;
  if ("code" in kept) throw new BursarError(kept.code, kept.message, kept);
  return kept.output;
}

const written = (kept: Kept): string =>
  JSON.stringify(kept, (_, value) => (typeof value === "bigint" ? value.toString() : value));
