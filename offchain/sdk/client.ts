import { pathOnChain } from "#offchain/core/call/chainPath.ts";
import { BursarError, type ErrorCode, errorCodes, type FieldError } from "#offchain/core/error.ts";
import { byDeadline, type Deadlines, usualDeadlines } from "./http/deadline.ts";
import { reach, serviceUrl } from "./http/reach.ts";
import { routes } from "./routes.ts";
import type { Verbs } from "./verbs.ts";

type Name = keyof Verbs;
type Input<N extends Name> = Verbs[N]["input"];
type Output<N extends Name> = Verbs[N]["output"];
type Call<N extends Name> =
  Record<never, never> extends Input<N>
    ? (input?: Input<N>, options?: CallOptions) => Promise<Output<N>>
    : (input: Input<N>, options?: CallOptions) => Promise<Output<N>>;

type Noun<N extends string> = N extends `${infer Head}.${string}` ? Head : never;
type Verb<N extends string, Head extends string> = N extends `${Head}.${infer Tail}` ? Tail : never;

/** Every action of the service as `client.noun.verb(input)`; resolves to the action's output, rejects with {@link BursarError}. */
export type Client = {
  [Head in Noun<Name>]: { [Tail in Verb<Name, Head>]: Call<`${Head}.${Tail}` & Name> };
};

export interface CallOptions {
  signal?: AbortSignal;
  /** Signs the request also where anybody may ask: the payer alone pays by a cleared channel, or is shown its voucher. */
  isSigned?: boolean;
}

export interface ClientOptions {
  /** The service's address, e.g. `http://127.0.0.1:4020`. */
  url: string;
  /** The chain that is meant, by its id; without it the service's default one. */
  chain?: number;
  /** Signs the requests that need it: given method, path with query and body, gives headers (see `sdk/http/request.ts`). */
  authorize?: (request: {
    method: string;
    path: string;
    body: string;
    origin: string;
  }) => Promise<Record<string, string>>;
  fetch?: typeof globalThis.fetch;
  /** How long an answer may take; 30 s of a read and two minutes of a write if nothing is said. */
  deadlines?: Partial<Deadlines>;
}

/** A typed client of the service's REST API, derived from the declared actions. */
export function createClient(options: ClientOptions): Client {
  const nouns: Record<string, Record<string, (input?: object, call?: CallOptions) => Promise<unknown>>> = {};
  for (const [name, route] of Object.entries(routes)) {
    const [noun = "", verb = ""] = name.split(".");
    nouns[noun] ??= {};
    nouns[noun][verb] = (input = {}, call = {}) => request(options, route, { ...input }, call);
  }
  return nouns as unknown as Client;
}

async function request(
  { url, chain, authorize, fetch = globalThis.fetch, deadlines }: ClientOptions,
  [method, template, role, scope]: readonly [method: string, path: string, role: string, scope: string],
  input: Record<string, unknown>,
  call: CallOptions,
): Promise<unknown> {
  const known = chain === undefined || scope === "service" ? template : pathOnChain(template, chain);
  const filled = known.replace(/\{(\w+)\}/g, (_, parameter: string) => {
    const value = String(input[parameter] ?? "");
    delete input[parameter];
    return encodeURIComponent(value);
  });
  const reads = method === "GET";
  const query = reads ? new URLSearchParams(definedStrings(input)).toString() : "";
  const path = query ? `${filled}?${query}` : filled;
  const body = reads
    ? ""
    : JSON.stringify(input, (_, value) => (typeof value === "bigint" ? value.toString() : value));
  const headers = {
    ...(body && { "content-type": "application/json" }),
    ...((role !== "anonymous" || call.isSigned) &&
      (await authorize?.({ method, path, body, origin: new URL(url).origin }))),
  };
  const asked = { url: serviceUrl(path, url), method, signal: call.signal };
  const { readMs, writeMs } = { ...usualDeadlines, ...deadlines };
  return byDeadline(reads ? readMs : writeMs, asked, async (signal) => {
    const response = await reach(fetch, asked.url, { method, headers, ...(body && { body }), signal });
    if (response.ok) return response.json().catch(brokenOff);
    const error = errorOf(await response.json().catch(() => null), response.status);
    throw otherChain(error, chain) ?? error;
  });
}

/** A service that does not follow the chain that was signed for can only say that the signature is another's. */
function otherChain(error: BursarError, chain: number | undefined): BursarError | null {
  const { chainId: served } = error.facts;
  if (error.code !== "SIGNATURE_INVALID" || chain === undefined || served === undefined) return null;
  if (String(served).split(", ").includes(String(chain))) return null;
  return new BursarError(
    "NETWORK_MISMATCH",
    `the request is signed for chain ${chain}; the service follows ${served}`,
    { facts: { signedFor: chain, served }, cause: error },
  );
}

function definedStrings(input: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(input).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );
}

/** The service may be killed while it answers: what it did is then unknown, and the same request asks again. */
function brokenOff(cause: unknown): never {
  if (cause instanceof BursarError) throw cause;
  throw new BursarError("INTERNAL", "the service's answer broke off; send the same request again", { cause });
}

/** The service's error body as the error it was there. */
export function errorOf(answer: unknown, status: number): BursarError {
  const body = (answer ?? {}) as {
    error_code?: string;
    message?: string;
    facts?: Record<string, string>;
    validation_errors?: FieldError[];
    remedy?: string;
  };
  const code: ErrorCode =
    body.error_code && Object.hasOwn(errorCodes, body.error_code)
      ? (body.error_code as ErrorCode)
      : "INTERNAL";
  return new BursarError(code, body.message ?? `the service answered ${status} without a reason`, {
    facts: body.facts ?? { status },
    fields: body.validation_errors ?? [],
    ...(body.remedy === "sign" && { remedy: "sign" }),
  });
}
