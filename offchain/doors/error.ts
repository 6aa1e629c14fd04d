import { type WrittenError, writeError } from "#offchain/core/call/errorBody.ts";
import { BursarError } from "#offchain/core/error.ts";

/** The one shape of every error that leaves the service as an answer of its own. */
export interface ErrorBody extends WrittenError {
  /** The stack; only while debugging. */
  detail?: string;
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
    ...writeError(error),
    request_id: options.requestId,
    ...(options.isDebug && { detail: stackOf(error) }),
  };
}

function stackOf(error: BursarError): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : "";
  return `${error.stack ?? error.message}${cause}`;
}
