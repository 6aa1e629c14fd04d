import { BaseError, HttpRequestError } from "viem";
import { BursarError } from "#offchain/core/error.ts";
import { withTimeout } from "#offchain/core/pause.ts";
import { type RequestContext, requestContext } from "../../requestContext.ts";
import { needsTooMuchGas, revertData } from "../contracts/revert.ts";
import { rateLimitCodes } from "./rpc.ts";

/** How long a request waits for a provider that says nothing: its caller is to be told within five seconds. */
export const requestPatienceMs = 4_000;

/** Since when a request has been without an answer of a provider; absent while it has none to wait for. */
const unansweredSince = new WeakMap<RequestContext, number>();

/** What is known of a provider by its answers, and its faults in one form. */
export class Provider {
  readonly #chainId: number;
  readonly #redact: (text: string) => string;
  #open = 0;
  /** Since when calls have been without an answer. */
  #silentSince: number | null = null;

  /** @param redact takes what may be a key of ours out of what the provider says */
  constructor(chainId: number, redact: (text: string) => string) {
    this.#chainId = chainId;
    this.#redact = redact;
  }

  /** How long the provider has left everything unanswered; 0 while it answers. */
  silentMs(): number {
    return this.#silentSince === null ? 0 : performance.now() - this.#silentSince;
  }

  /** The client, whose every method rejects as `answer` does. */
  watched<Client extends object>(client: Client, isOurs: Judging = isOfTheCall): Client {
    const methods = new Map<unknown, unknown>();
    return new Proxy(client, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        const known = methods.get(member);
        if (known !== undefined) return known;
        const method = (...parameters: unknown[]) => {
          const result: unknown = member.apply(target, parameters);
          return result instanceof Promise ? this.answer(result, isOurs) : result;
        };
        methods.set(member, method);
        return method;
      },
    });
  }

  /**
   * What the provider answers. A request waits for it so long and no longer.
   * @throws BursarError CHAIN_UNAVAILABLE: it is down, silent, or answers nonsense; what a contract refuses stays as it is
   */
  async answer<T>(asked: Promise<T>, isOurs: Judging = isOfTheCall): Promise<T> {
    const request = requestContext();
    const startedAt = performance.now();
    this.#begin(startedAt);
    // One that is given up may be answered still.
    asked.then(
      () => this.#end(true),
      (error: unknown) => this.#end(isOurs(error)),
    );
    if (!request) return asked.catch((error: unknown) => this.refuse(error, isOurs));
    const since = unansweredSince.get(request) ?? startedAt;
    unansweredSince.set(request, since);
    try {
      const leftMs = Math.max(0, requestPatienceMs - (startedAt - since));
      const said = await withTimeout(asked, leftMs, silent);
      unansweredSince.delete(request);
      return said;
    } catch (error) {
      if (isOurs(error)) unansweredSince.delete(request);
      return this.refuse(error, isOurs);
    }
  }

  /** @throws the error itself if the call is at fault, else BursarError CHAIN_UNAVAILABLE */
  refuse(error: unknown, isOurs: Judging = isOfTheCall): never {
    if (isOurs(error)) throw error;
    const told = causes(error).find((cause) => cause instanceof BursarError);
    throw told ?? unavailable(this.#chainId, error, this.#redact);
  }

  #begin(at: number): void {
    this.#open += 1;
    this.#silentSince ??= at;
  }

  #end(isAnswered: boolean): void {
    this.#open -= 1;
    if (isAnswered) this.#silentSince = this.#open > 0 ? performance.now() : null;
  }
}

const silent = (): never => {
  throw new Error("it says nothing");
};

/** viem's own words for arguments that nothing can be made of: our fault, and nobody else's. */
const ofArguments = /^(Abi(Encoding|Function|Constructor)|InvalidAddress|IntegerOutOfRange)/;

/** An answer that is none of the function's: its data is no revert's, though the error carries it alike. */
const ofAnswer = /^(AbiDecoding|ContractFunctionZeroData)/;

/** Whether an error is the call's own, so that the provider did its part. */
type Judging = (error: unknown) => boolean;

/** Whether the provider did its part: a call that reverts or runs out of gas, or one that could not be asked at all. */
function isOfTheCall(error: unknown): boolean {
  const all = causes(error);
  if (all.some(({ name }) => ofAnswer.test(name))) return false;
  if (revertData(error) !== null || needsTooMuchGas(error)) return true;
  return all.some(({ name }) => ofArguments.test(name));
}

/** viem's own words for an answer that cannot be read as what was asked for. */
const ofUnreadable =
  /^(Abi(Decoding|Encoding)|ContractFunctionZeroData|PositionOutOfBounds|NegativeOffset|RecursiveReadLimit|InvalidBytesBoolean|SizeOverflow|SliceOffset)/;

/** As {@link isOfTheCall}, where untrusted code answers: it may answer anything, and the provider only passes it on. */
export const isOfUntrustedCall = (error: unknown): boolean =>
  isOfTheCall(error) ||
  (causes(error).every((cause) => !(cause instanceof BursarError)) &&
    causes(error).some(({ name }) => ofUnreadable.test(name)));

function causes(error: unknown): Error[] {
  const found: Error[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) found.push(cause);
  return found;
}

/** A number as a provider writes it (ethereum/execution-apis, "uint"). @throws BursarError CHAIN_UNAVAILABLE for anything else */
export function quantityOf(chainId: number, said: unknown): bigint {
  if (typeof said === "string" && /^0x[0-9a-f]{1,64}$/i.test(said)) return BigInt(said);
  throw unavailable(chainId, new Error("it gives no number where there must be one"));
}

/** viem's message is not passed on: it holds the provider's address, which may hold a password. */
function unavailable(chainId: number, cause: unknown, redact = (text: string): string => text): BursarError {
  return new BursarError(
    "CHAIN_UNAVAILABLE",
    `the provider of chain ${chainId} ${redact(faultOf(cause)).slice(0, 220)}`,
    { facts: { chainId }, cause },
  );
}

/** What a provider did that failed a call, said after its name. What it says is told; what we stumbled over in it is not. */
export function faultOf(error: unknown): string {
  const all = causes(error);
  const said =
    error instanceof BaseError
      ? error.details || error.shortMessage
      : error instanceof Error
        ? error.message
        : String(error);
  if (all.some((cause) => cause instanceof HttpRequestError && cause.status === 429))
    return "limits the rate of requests (status 429)";
  if (all.some((cause) => "code" in cause && rateLimitCodes.has(cause.code as number)))
    return `limits the rate of requests: ${said}`;
  if (isStumble(all.at(-1))) return "answers what is no JSON-RPC, or not what it was asked for";
  return `does not answer: ${said}`;
}

/** JavaScript's own error over an answer of another form, such as null where a number must be; not one of the network. */
const isStumble = (innermost: Error | undefined): boolean =>
  innermost instanceof SyntaxError ||
  (innermost instanceof TypeError && /^Cannot (read|convert)/.test(innermost.message));
