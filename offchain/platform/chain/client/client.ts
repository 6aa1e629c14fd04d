import {
  type Chain,
  createClient,
  defineChain,
  HttpRequestError,
  type HttpTransport,
  http,
  type PublicClient,
  publicActions,
} from "viem";
import { call } from "viem/actions";
import { coinOf } from "#offchain/core/unit.ts";
import { redactor, secretsOfUrl } from "../../observe/secrets.ts";
import type { ChainConfig } from "./config.ts";
import { watchHeads } from "./heads.ts";
import { isOfUntrustedCall, Provider } from "./provider.ts";
import { openRpc, type Rpc } from "./rpc.ts";
import { boundedTransport, UntrustedCode } from "./untrustedCode.ts";

/** Requests that travel in one HTTP body. */
const requestBatchSize = 100;
const tooManyRequests = 429;
const defaultRequestTimeoutMs = 20_000;

/** Multicall3 stands at one address on every chain (github.com/mds1/multicall3). */
export const multicall3 = "0xcA11bde05977b3631167028862bE2a173976CA11";

export type ChainReader = PublicClient<HttpTransport, Chain>;

/** The connection to one chain. */
export interface ChainClient {
  readonly chain: Chain;
  readonly config: ChainConfig;
  /** Its methods reject with BursarError CHAIN_UNAVAILABLE, or with viem's error for a call that reverts. */
  readonly reader: ChainReader;
  /** Reads in which code runs that whoever asks has chosen: with bounded gas, and each address in turn. */
  readonly untrustedCode: UntrustedCode<ChainReader>;
  /** How long the provider has left everything unanswered that the reader asks; 0 while it answers. */
  silentMs(): number;
  /** The same provider, for bulk. */
  readonly rpc: Rpc;
  /** Calls `onHead` whenever there may be a new block; returns how to stop. */
  watchHeads(onHead: () => void): () => void;
}

/** viem looks for an error in the body first, and stumbles over bodies of another form: then nobody knows the status. */
async function assertRate(url: string, { status, headers, body }: Response): Promise<void> {
  if (status !== tooManyRequests) return;
  await body?.cancel();
  throw new HttpRequestError({ url, status, headers, details: "Too Many Requests" });
}

/** Opens the connection; nothing is sent before the first request. */
export function connectChain(config: ChainConfig): ChainClient {
  const timeoutMs = config.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const transport = http(config.rpcUrl, {
    batch: { batchSize: requestBatchSize },
    timeout: timeoutMs,
    // viem waits so long for the head of an answer; its body may stop in the middle as well.
    fetchFn: (input, init) => {
      const signals = [AbortSignal.timeout(timeoutMs), ...(init?.signal ? [init.signal] : [])];
      return fetch(input, { ...init, signal: AbortSignal.any(signals) });
    },
    onFetchResponse: (response) => assertRate(config.rpcUrl, response),
  });
  const chain = defineChain({
    id: config.chainId,
    name: `chain ${config.chainId}`,
    nativeCurrency: config.nativeCoin ?? coinOf(),
    rpcUrls: { default: { http: [config.rpcUrl] } },
    contracts: { multicall3: { address: multicall3 } },
  });
  const redact = redactor(secretsOfUrl(config.rpcUrl));
  const provider = new Provider(config.chainId, redact);
  const readerOf = (over: HttpTransport, isOurs?: typeof isOfUntrustedCall) => {
    // viem takes a call that fails for any reason for a signature that is not valid; one of ours it passes on.
    const bare = createClient({ chain, transport: over, cacheTime: 0 }).extend((client) => ({
      call: (parameters: Parameters<typeof call>[1]) =>
        call(client, parameters).catch((error: unknown) => provider.refuse(error, isOurs)),
    }));
    return provider.watched(bare.extend(publicActions), isOurs) as ChainReader;
  };
  return {
    chain,
    config,
    reader: readerOf(transport),
    untrustedCode: new UntrustedCode((gasMax) =>
      readerOf(boundedTransport(transport, gasMax), isOfUntrustedCall),
    ),
    silentMs: () => provider.silentMs(),
    rpc: openRpc({ url: config.rpcUrl, timeoutMs, redact }),
    watchHeads: (onHead) => watchHeads(config, onHead),
  };
}
