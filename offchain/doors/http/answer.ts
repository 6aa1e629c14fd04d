import { BursarError, type ErrorFacts, errorCodes, type FieldError } from "#offchain/core/error.ts";

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

/** On every answer: nothing is cached, framed, sniffed or run as a page. */
const everyHeader = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "cross-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

export type Headers = Readonly<Record<string, string>>;

export function answerJson(status: number, body: unknown, headers: Headers): Response {
  return answerText(status, JSON.stringify(body), { "content-type": "application/json", ...headers });
}

export function answerText(status: number, body: string | null, headers: Headers): Response {
  return new Response(body, { status, headers: { ...everyHeader, ...headers } });
}

/** Any thrown thing as a {@link BursarError}: what is not one is our own fault and says nothing of the inside. */
export const asBursarError = (thrown: unknown): BursarError =>
  thrown instanceof BursarError
    ? thrown
    : new BursarError("INTERNAL", "the service failed; the same request may be sent again", {
        cause: thrown,
      });

export function answerError(
  error: BursarError,
  options: { requestId: string; isDebug: boolean; headers: Headers },
): Response {
  return answerJson(error.status, errorBody(error, options), { ...options.headers, ...errorHeaders(error) });
}

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

/** `Retry-After` in seconds for what passes by itself, `Allow` for a wrong method (RFC 9110 §10.2.3, §10.2.1). */
function errorHeaders(error: BursarError): Headers {
  const { retryAfterMs, allowed } = error.facts;
  if (error.code === "METHOD_UNKNOWN") return { allow: String(allowed) };
  if (typeof retryAfterMs === "number") return { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
  return errorCodes[error.code].status === 503 ? { "retry-after": "1" } : {};
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
