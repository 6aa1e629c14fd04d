import { type HttpTransport, isHex, numberToHex } from "viem";
import { FairQueue } from "../../fairQueue.ts";
import { requestContext, requestedFrom } from "../../requestContext.ts";

/** Most gas of a transaction: one that needs more comes into no block (EIP-7825). */
export const transactionGasMax = 2n ** 24n;

/** Most gas of the question to an account's code whether it stands by a signature (ERC-1271). */
export const signatureGasMax = 1_000_000n;

/**
 * Has the node run code that whoever asks has chosen: an account's that signs for itself, a token's, a proposal's. Such
 * code has no more gas than is said, and the calls of each address wait for their turn; the service's own work waits for no
 * caller. What the code does, garbage for an answer included, is the caller's error, and never the provider's.
 */
export class UntrustedCode<Reader> {
  readonly #open: (gasMax: bigint) => Reader;
  /** By the most gas. */
  readonly #readers = new Map<bigint, Reader>();
  readonly #queue = new FairQueue({
    what: "calls of accounts' code",
    atOnce: 8,
    atOnceOfOne: 2,
    waitingMax: 256,
  });

  /** @param open a reader whose calls have no more gas than this */
  constructor(open: (gasMax: bigint) => Reader) {
    this.#open = open;
  }

  /** For calls in which no untrusted code should run: their gas is bounded all the same, and they wait for nobody. */
  reader(gasMax: bigint): Reader {
    const known = this.#readers.get(gasMax);
    if (known) return known;
    const reader = this.#open(gasMax);
    this.#readers.set(gasMax, reader);
    return reader;
  }

  /** @throws what the call throws; BursarError OVERLOADED when too many wait */
  async run<T>(gasMax: bigint, call: (reader: Reader) => Promise<T>): Promise<T> {
    const work = async () => call(this.reader(gasMax));
    return requestContext() ? this.#queue.run(requestedFrom(), work) : work();
  }
}

/** The same transport, through which nothing is run with more gas than this. */
export const boundedTransport =
  (transport: HttpTransport, gasMax: bigint): HttpTransport =>
  (options) => {
    const opened = transport(options);
    const request = async (asked: { method: string; params?: unknown }, ...rest: []) => {
      const said: unknown = await opened.request(boundedCall(asked, gasMax), ...rest);
      // What is not even bytes, no code has said.
      if (asked.method === "eth_call" && !isHex(said)) throw new Error("it gives no bytes for a call");
      return said;
    };
    return { ...opened, request: request as typeof opened.request };
  };

interface CallObject {
  readonly gas?: unknown;
}

function boundedCall<Asked extends { method: string; params?: unknown }>(
  asked: Asked,
  gasMax: bigint,
): Asked {
  const bounded = (call: CallObject) => {
    const isGiven = isHex(call.gas) && BigInt(call.gas) <= gasMax;
    return isGiven ? call : { ...call, gas: numberToHex(gasMax) };
  };
  const [first, ...others] = Array.isArray(asked.params) ? (asked.params as unknown[]) : [];
  switch (asked.method) {
    case "eth_call":
    case "eth_estimateGas":
    case "debug_traceCall":
      return { ...asked, params: [bounded(first as CallObject), ...others] };
    case "eth_simulateV1": {
      const simulation = first as { blockStateCalls: readonly { calls?: readonly CallObject[] }[] };
      const blockStateCalls = simulation.blockStateCalls.map((block) => ({
        ...block,
        ...(block.calls && { calls: block.calls.map(bounded) }),
      }));
      return { ...asked, params: [{ ...simulation, blockStateCalls }, ...others] };
    }
    default:
      return asked;
  }
}
