import { developmentChainIds } from "#offchain/core/localChain.ts";
import { coinSymbol } from "#offchain/core/unit.ts";

/** What the dashboard must know at run time; never baked into the build. */
export interface WebConfig {
  /** Address of the service's REST API as the browser reaches it. */
  readonly apiUrl: string;
  /** JSON-RPC address of the chain as the browser reaches it. */
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Symbol of the coin that the chain's gas is paid in; by the same variable as the service's. */
  readonly nativeCoin: string;
  /** The Treasury contract; null: ask the service. */
  readonly treasury: `0x${string}` | null;
  /** Offers the built-in development wallet; honoured on {@link localChainId} only. */
  readonly devWallet: boolean;
  /** A block explorer, e.g. `https://basescan.org`; null on a chain without one. */
  readonly explorerUrl: string | null;
}

/** Hardhat's chain id: the only chain on which money is play money. */
export const localChainId = developmentChainIds[0];

const chainNames: Readonly<Record<number, string>> = {
  1: "Ethereum",
  10: "OP Mainnet",
  56: "BNB Smart Chain",
  100: "Gnosis",
  137: "Polygon",
  8453: "Base",
  42161: "Arbitrum One",
  43114: "Avalanche",
  59144: "Linea",
  84532: "Base Sepolia",
  11155111: "Sepolia",
  [localChainId]: "the local development chain",
};

/** A chain as people call it, always with its id. */
export const chainName = (chainId: number): string =>
  chainNames[chainId] ? `${chainNames[chainId]} (chain ${chainId})` : `chain ${chainId}`;

/**
 * Reads the configuration from the environment.
 * @throws Error naming the variable that is malformed.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): WebConfig {
  const chainId = Number(env.BURSAR_CHAIN_ID ?? localChainId);
  if (!Number.isSafeInteger(chainId) || chainId < 1)
    throw new Error(`BURSAR_CHAIN_ID must be a positive whole number, got ${env.BURSAR_CHAIN_ID}`);
  const treasury = env.BURSAR_TREASURY || null;
  if (treasury !== null && !/^0x[0-9a-fA-F]{40}$/.test(treasury))
    throw new Error(`BURSAR_TREASURY must be an address, got ${treasury}`);
  const symbol = env.BURSAR_NATIVE_COIN || "ETH";
  if (!coinSymbol.test(symbol))
    throw new Error(`BURSAR_NATIVE_COIN must be a coin's symbol such as POL, got ${symbol}`);
  return {
    apiUrl: httpUrl("BURSAR_API_URL", env.BURSAR_API_URL ?? "http://127.0.0.1:4020"),
    rpcUrl: httpUrl("BURSAR_RPC_URL", env.BURSAR_RPC_URL ?? "http://127.0.0.1:8545"),
    chainId,
    nativeCoin: symbol,
    treasury: treasury as `0x${string}` | null,
    devWallet: env.BURSAR_DEV_WALLET === "1" && chainId === localChainId,
    explorerUrl: env.BURSAR_EXPLORER_URL ? httpUrl("BURSAR_EXPLORER_URL", env.BURSAR_EXPLORER_URL) : null,
  };
}

function httpUrl(name: string, text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error(`${name} must be an http(s) address, got ${text}`);
  return url.href.replace(/\/$/, "");
}
