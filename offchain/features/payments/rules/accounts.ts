import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";

/** The ledger account that holds a channel's unclaimed deposit. */
export const channelAccount = (channel: { id: bigint }): AccountName => `channel:${channel.id}`;

/** The ledger account of what a payee has claimed and the contract has not paid out yet. */
export const payeeAccount = (runId: bigint, payee: string): AccountName =>
  `payee:${runId}:${payee.toLowerCase()}`;

/** The chain as the ledger's outside: what it is short of is what the settlement contract holds. */
export const chainAccount = (runId: bigint): AccountName => `chain:${runId}`;
