import { formatEther } from "viem";
import type { HealthCheck } from "../../observe/health.ts";

/** A transaction that was sent so long ago and is in no block is held up: by its fee, or by a provider that says nothing of it. */
const heldUpAfterMs = 600_000;

export interface SenderStanding {
  readonly operator: string;
  /** Transactions that wait for a block, and the most that may. */
  readonly open: number;
  readonly queueMax: number;
  /** When the oldest that was sent came into the queue, epoch ms; null: none is sent. */
  readonly sentSince: number | null;
  /** Wei; null when the provider does not say. */
  readonly balance: bigint | null;
  readonly balanceMin: bigint;
  /** Epoch ms. */
  readonly now: number;
}

/** What health says of the sender: what an operator has to do something about stands in `problem`. */
export function senderHealth(standing: SenderStanding): Awaited<ReturnType<HealthCheck>> {
  const { operator, open, queueMax, sentSince, balance, balanceMin, now } = standing;
  const problems = [
    ...(balance !== null && balance < balanceMin
      ? [
          `the operator ${operator} has ${formatEther(balance)} of the native coin left for gas, which it keeps for its own transactions: send it some`,
        ]
      : []),
    ...(sentSince !== null && now - sentSince >= heldUpAfterMs
      ? [
          `a transaction was sent ${Math.floor((now - sentSince) / 60_000)} minutes ago and is in no block: its fee is too low, or the provider gives no receipts`,
        ]
      : []),
  ];
  return {
    status: problems.length > 0 || open > queueMax ? "degraded" : "ok",
    detail: {
      open,
      balance: balance === null ? null : formatEther(balance),
      problem: problems.length > 0 ? problems.join("; ") : null,
    },
  };
}
