import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { type Backoff, backoffMs } from "#offchain/core/pause.ts";

/** One JSON-RPC 2.0 call. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/**
 * Why a provider did not answer. `rateLimited`: ask later. `tooLarge`: ask for less. `unavailable`: it is down, slow, or
 * its answer is broken. `refused`: it answered with an error of its own.
 */
export type RpcProblem = "rateLimited" | "tooLarge" | "unavailable" | "refused";

/** A call that failed, after the tries that made sense. */
export class RpcFailure extends Error {
  override readonly name = "RpcFailure";
  readonly problem: RpcProblem;
  /** When the provider asked to be left alone that long. */
  readonly retryAfterMs: number | null;

  constructor(problem: RpcProblem, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options);
    this.problem = problem;
    this.retryAfterMs = options?.retryAfterMs ?? null;
  }
}

/** A provider of JSON-RPC. */
export interface Rpc {
  /** The calls' results, in their order; one HTTP body for every hundred. @throws RpcFailure */
  batch(calls: readonly RpcCall[]): Promise<unknown[]>;
  /** @throws RpcFailure */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
}

export interface RpcOptions {
  readonly url: string;
  /** For the whole exchange, the body's last byte included. */
  readonly timeoutMs: number;
  /** Takes keys of ours out of what the provider says: it may quote its own address. */
  readonly redact?: (text: string) => string;
}

/** Calls that travel in one HTTP body. */
const batchSize = 100;
/** A longer answer is a sign that too much was asked for: a range of logs should be some megabytes. */
const maxAnswerBytes = 256 * 2 ** 20;
const maxSockets = 16;
/** What a provider says is cut to so many letters. */
const longestWords = 300;
const tries = 4;
/** A provider's `Retry-After` is granted for no longer than the longest. */
const retrying: Backoff = { firstMs: 100, longestMs: 5_000 };

/** JSON-RPC and HTTP codes by which providers say that there were too many requests. */
export const rateLimitCodes: ReadonlySet<number> = new Set([429, -32_005, -32_007, -32_029]);
/** What they say when a range of logs is too much; the wording differs, the code often is that of a rate limit. */
const tooLarge = /result|range|too large|too many (?!requests)|response size|payload|logs matched|more than/i;

/**
 * A JSON-RPC client for bulk: it reads bodies whole from sockets that it keeps, which costs half of what `fetch` does,
 * and its time-out covers the body. Rate limits and broken connections are tried again, with growing rests.
 */
export function openRpc({ url, timeoutMs, redact = (text) => text }: RpcOptions): Rpc {
  const target = new URL(url);
  const isSecure = target.protocol === "https:";
  const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets });
  const options = {
    agent,
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(target.username && {
      auth: `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`,
    }),
  };

  function post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs);
      const fail = (cause: unknown) =>
        reject(new RpcFailure("unavailable", `the provider did not answer: ${String(cause)}`, { cause }));
      const request = (isSecure ? httpsRequest : httpRequest)(target, { ...options, signal }, (response) => {
        read(response, resolve, reject);
        response.once("error", fail);
      });
      request.once("error", (error) => fail(signal.aborted ? `nothing within ${timeoutMs} ms` : error));
      request.end(body);
    });
  }

  async function exchange(calls: readonly RpcCall[]): Promise<unknown[]> {
    const asked = calls.map(({ method, params }, id) => ({ jsonrpc: "2.0", id, method, params }));
    const text = await post(JSON.stringify(asked.length === 1 ? asked[0] : asked));
    const told = parse(text);
    const replies = Array.isArray(told) ? told : [told];
    const results = new Array<unknown>(calls.length);
    const isAnswered = new Array<boolean>(calls.length).fill(false);
    for (const reply of replies as Reply[]) {
      if (reply?.error) throw toFailure(reply.error);
      if (typeof reply?.id !== "number" || reply.result === undefined || !(reply.id in asked))
        throw new RpcFailure("unavailable", "the provider's answer is not one of JSON-RPC");
      results[reply.id] = reply.result;
      isAnswered[reply.id] = true;
    }
    if (isAnswered.includes(false)) throw new RpcFailure("unavailable", "the provider left calls unanswered");
    return results;
  }

  async function persist(calls: readonly RpcCall[]): Promise<unknown[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await exchange(calls);
      } catch (error) {
        if (error instanceof RpcFailure) error.message = redact(error.message).slice(0, longestWords);
        if (!(error instanceof RpcFailure) || attempt === tries || !isPassing(error)) throw error;
        await delay(Math.min(error.retryAfterMs ?? backoffMs(attempt, retrying), retrying.longestMs));
      }
    }
  }

  return {
    async batch(calls) {
      const chunks: Promise<unknown[]>[] = [];
      for (let start = 0; start < calls.length; start += batchSize)
        chunks.push(persist(calls.slice(start, start + batchSize)));
      return (await Promise.all(chunks)).flat();
    },
    async call(method, params) {
      const [result] = await persist([{ method, params }]);
      return result;
    },
  };
}

interface Reply {
  id?: unknown;
  result?: unknown;
  error?: RpcError;
}

interface RpcError {
  code?: number;
  message?: string;
}

function read(
  response: IncomingMessage,
  resolve: (text: string) => void,
  reject: (error: RpcFailure) => void,
): void {
  const parts: Buffer[] = [];
  let length = 0;
  response.on("data", (part: Buffer) => {
    length += part.length;
    parts.push(part);
    if (length <= maxAnswerBytes) return;
    reject(new RpcFailure("tooLarge", `the answer is longer than ${maxAnswerBytes} bytes`));
    response.destroy();
  });
  response.once("end", () => {
    const text = (parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, length)).toString();
    const failure = ofStatus(response, text);
    if (failure) reject(failure);
    else resolve(text);
  });
}

/** What a status above 399 means. Some providers send a JSON-RPC error in its body, and that says more than the status. */
function ofStatus({ statusCode = 0, headers }: IncomingMessage, text: string): RpcFailure | null {
  if (statusCode < 400) return null;
  const retryAfterS = Number(headers["retry-after"] ?? Number.NaN);
  const retryAfterMs = Number.isFinite(retryAfterS) ? { retryAfterMs: retryAfterS * 1_000 } : {};
  if (statusCode === 413) return new RpcFailure("tooLarge", "status 413");
  const told = statusCode === 429 ? null : errorIn(text);
  if (told) return toFailure(told);
  const message = `status ${statusCode}: ${text.slice(0, 10 * longestWords)}`;
  return new RpcFailure(statusCode === 429 ? "rateLimited" : "unavailable", message, retryAfterMs);
}

/** The first JSON-RPC error of a body; null if it is none. */
function errorIn(text: string): RpcError | null {
  try {
    const told = JSON.parse(text) as Reply | Reply[] | null;
    return [told].flat().find((reply) => typeof reply?.error?.message === "string")?.error ?? null;
  } catch {
    return null;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RpcFailure("unavailable", "the provider's answer is not JSON", { cause });
  }
}

function toFailure({ code = 0, message = "" }: RpcError): RpcFailure {
  const problem = tooLarge.test(message) ? "tooLarge" : rateLimitCodes.has(code) ? "rateLimited" : "refused";
  return new RpcFailure(problem, `${message} (${code})`);
}

const isPassing = ({ problem }: RpcFailure) => problem === "rateLimited" || problem === "unavailable";
