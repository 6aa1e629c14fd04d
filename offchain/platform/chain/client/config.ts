/** Which chain to talk to, and where. */
export interface ChainConfig {
  readonly chainId: number;
  /** HTTP JSON-RPC. */
  readonly rpcUrl: string;
  /** WebSocket JSON-RPC; null for none; by default the same host and port (Hardhat's node serves both). */
  readonly webSocketUrl?: string | null;
  /** How often the head is asked for; with a WebSocket only a safety net. */
  readonly pollIntervalMs?: number;
  /** One request's patience. */
  readonly requestTimeoutMs?: number;
}
