import type { Chain } from "viem";

type ChainNativeCoin = Chain["nativeCurrency"];

/** Which chain to talk to, and where. */
export interface ChainConfig {
  readonly chainId: number;
  /** What its gas is paid in; ether where nothing is said. */
  readonly nativeCoin?: ChainNativeCoin;
  /** HTTP JSON-RPC. */
  readonly rpcUrl: string;
  /** WebSocket JSON-RPC; null for none; by default the same host and port (Hardhat's node serves both). */
  readonly webSocketUrl?: string | null;
  /** How often the head is asked for; with a WebSocket only a safety net. */
  readonly pollIntervalMs?: number;
  /** One request's patience. */
  readonly requestTimeoutMs?: number;
}
