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

/** @param detailOf as the service's own */
export const errorBody = (
  error: BursarError,
  { requestId, detailOf }: { requestId: string; detailOf: ((error: BursarError) => string) | null },
): ErrorBody => ({
  ...writeError(error),
  request_id: requestId,
  ...(detailOf && { detail: detailOf(error) }),
});
