import { BursarError, type ErrorFacts, type FieldError } from "#offchain/core/error.ts";

/** The one shape of every error that leaves the service. */
export interface ErrorBody {
  error_code: string;
  message: string;
  /** The stack; only while debugging. */
  detail?: string;
  validation_errors: readonly FieldError[];
  facts: Record<string, string | number | boolean | null>;
  /** What to do next: fix the request, retry the same, wait, or ask a human. */
  remedy: string;
  request_id: string;
}

/** Any thrown thing as a {@link BursarError}: what is not one is our own fault and says nothing of the inside. */
export const asBursarError = (thrown: unknown): BursarError =>
  thrown instanceof BursarError
    ? thrown
    : new BursarError("INTERNAL", "the service failed; the same request may be sent again", {
        cause: thrown,
      });

export function errorBody(error: BursarError, options: { requestId: string; isDebug: boolean }): ErrorBody {
  return {
    error_code: error.code,
    message: error.message,
    validation_errors: error.fields,
    facts: writtenFacts(error.facts),
    remedy: error.remedy,
    request_id: options.requestId,
    ...(options.isDebug && { detail: stackOf(error) }),
  };
}

function writtenFacts(facts: ErrorFacts): ErrorBody["facts"] {
  const written: ErrorBody["facts"] = {};
  for (const [name, fact] of Object.entries(facts))
    if (fact !== undefined) written[name] = typeof fact === "bigint" ? fact.toString() : fact;
  return written;
}

function stackOf(error: BursarError): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
