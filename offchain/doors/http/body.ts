import type { IncomingMessage } from "node:http";
import { BursarError } from "#offchain/core/error.ts";

/** No input that means anything nests deeper; what does runs the stack of whoever walks through it. */
const depthMax = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The client has gone in the middle of its body: nobody is there to be answered. */
export class HungUp extends Error {
  override readonly name = "HungUp";
}

/**
 * The request's whole body. Counts while it streams in, so that nothing above the limit is ever held.
 * Reads Node's own stream when there is one: the web stream around it costs a third of the door's rate.
 * @throws BursarError BODY_TOO_LARGE
 * @throws HungUp
 */
export async function readBody(
  request: Request,
  incoming: IncomingMessage | undefined,
  limitBytes: number,
): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limitBytes) throw tooLarge(declared, limitBytes);
  const source: AsyncIterable<Uint8Array> | null = incoming ?? request.body;
  if (!source) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Left before its end, Node's stream would take the socket down with it, and the answer too.
  const chunked = incoming ? incoming.iterator({ destroyOnReturn: false }) : source;
  try {
    for await (const chunk of chunked as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > limitBytes) throw tooLarge(size, limitBytes);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (incoming?.destroyed && !incoming.complete && !(cause instanceof BursarError))
      throw new HungUp("the client hung up in the middle of its body", { cause });
    throw cause;
  }
  const [only] = chunks;
  return chunks.length === 1 && only ? only : Buffer.concat(chunks, size);
}

/**
 * The body as a JSON object; an empty body is an empty object.
 * @throws BursarError CONTENT_TYPE_UNSUPPORTED, BODY_MALFORMED (not JSON, or nested too deep), VALIDATION_INVALID_INPUT (JSON, but no object)
 */
export function parseBody(body: Uint8Array, contentType: string | null): Record<string, unknown> {
  if (body.byteLength === 0) return {};
  const [type = ""] = (contentType ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/json")
    throw new BursarError("CONTENT_TYPE_UNSUPPORTED", "the body must be application/json", {
      facts: { contentType: (contentType ?? "").slice(0, 80) },
    });
  const value = parseJson(body);
  if (isDeeper(value, depthMax))
    throw new BursarError("BODY_MALFORMED", `the body is nested more than ${depthMax} deep`, {
      facts: { depthMax },
    });
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new BursarError("VALIDATION_INVALID_INPUT", "the body must be a JSON object", {
    fields: [
      { field: "", message: "must be a JSON object", value: Array.isArray(value) ? "array" : typeof value },
    ],
  });
}

/** Whether objects and arrays stand in each other more often than that; looks no further. */
const isDeeper = (value: unknown, most: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (most === 0 || Object.values(value).some((inner) => isDeeper(inner, most - 1)));

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const reason = cause instanceof SyntaxError ? cause.message.slice(0, 200) : "it is not UTF-8";
    throw new BursarError("BODY_MALFORMED", `the body is not JSON: ${reason}`, {
      facts: { bytes: body.byteLength },
      cause,
    });
  }
}

const tooLarge = (bytes: number, limitBytes: number) =>
  new BursarError("BODY_TOO_LARGE", `the body is above ${limitBytes} bytes`, {
    facts: { bytes, limitBytes },
  });
