import type { SentPayment } from "#offchain/core/call/pricing.ts";
import { BursarError } from "#offchain/core/error.ts";

const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Whether the client speaks version 1: it sends, or announces, an `X-PAYMENT` header. */
export const speaksVersion1 = (headers: Headers): boolean =>
  headers.has("x-payment") && !headers.get("payment-signature");

/**
 * The payment of a request: `PAYMENT-SIGNATURE` (version 2), else `X-PAYMENT` (version 1); null when there is none.
 * @throws BursarError PAYMENT_MALFORMED: no base64 of a JSON object with the fields of a payment
 */
export function readPaymentHeader(headers: Headers): SentPayment | null {
  const [name, text] = headers.get("payment-signature")
    ? ["PAYMENT-SIGNATURE", headers.get("payment-signature")]
    : ["X-PAYMENT", headers.get("x-payment")];
  if (!text?.trim()) return null;
  const sent = decode(name ?? "", text.trim());
  if (!isRecord(sent.payload)) throw malformed(name ?? "", "payload must be an object");
  if (sent.x402Version === 1) {
    if (sent.scheme !== "exact") throw malformed(name ?? "", "version 1 has the scheme exact only");
    return { version: 1, payload: sent.payload };
  }
  if (sent.x402Version !== 2) throw malformed(name ?? "", "x402Version must be 1 or 2");
  if (!isRecord(sent.accepted)) throw malformed(name ?? "", "accepted must be an object");
  return { version: 2, payload: sent };
}

/** A protocol object as a header carries it. */
export const encodeHeader = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

function decode(name: string, text: string): Record<string, unknown> {
  if (!base64.test(text)) throw malformed(name, "it is not base64");
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(Buffer.from(text, "base64")));
  } catch {
    throw malformed(name, "it is no JSON");
  }
  if (!isRecord(value)) throw malformed(name, "it is no JSON object");
  return value;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const malformed = (header: string, rule: string) =>
  new BursarError("PAYMENT_MALFORMED", `the ${header} header is no x402 payment: ${rule}`, {
    facts: { header, rule },
  });
