import { type BursarError, errorCodes } from "#offchain/core/error.ts";
import { errorBody } from "../error.ts";

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

export function answerError(
  error: BursarError,
  options: Parameters<typeof errorBody>[1] & { headers: Headers },
): Response {
  return answerJson(error.status, errorBody(error, options), { ...options.headers, ...errorHeaders(error) });
}

/** `Retry-After` in seconds for what passes by itself, `Allow` for a wrong method (RFC 9110 §10.2.3, §10.2.1). */
function errorHeaders(error: BursarError): Headers {
  const { retryAfterMs, allowed } = error.facts;
  if (error.code === "METHOD_UNKNOWN") return { allow: String(allowed) };
  if (typeof retryAfterMs === "number") return { "retry-after": String(Math.ceil(retryAfterMs / 1000)) };
  return errorCodes[error.code].status === 503 ? { "retry-after": "1" } : {};
}
