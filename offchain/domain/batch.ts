/** When a batch of payments is settled: seed document 000 §5, all configurable. */
export interface BatchLimits {
  /** Most payments in a batch. */
  batchSize: number;
  /** Most that a payment waits before its batch closes. */
  maxDelayMs: number;
  /** Value at which a batch is worth settling, base units. */
  minAmount: bigint;
}

export interface OpenBatch {
  payments: number;
  /** Base units. */
  value: bigint;
  openedAt: number;
}

export type CloseReason = "size" | "value" | "age" | "forced";

/** Why the batch closes now, or null while it stays open. An empty batch never closes. */
export function closeReason(batch: OpenBatch, limits: BatchLimits, now: number): CloseReason | null {
  if (batch.payments === 0) return null;
  if (batch.payments >= limits.batchSize) return "size";
  if (batch.value >= limits.minAmount) return "value";
  if (now - batch.openedAt >= limits.maxDelayMs) return "age";
  return null;
}
