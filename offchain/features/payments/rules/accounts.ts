import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";

/** The ledger account that holds a channel's unclaimed deposit. */
export const channelAccount = ({ id }: { id: bigint }): `channel:${string}` => `channel:${id}`;

/** What names of a run's payees' accounts begin with. */
export const payeeAccounts = (runId: bigint): `payee:${string}` => `payee:${runId}:`;

/** The ledger account of what a payee has claimed and the contract has not paid out yet. */
export const payeeAccount = (runId: bigint, payee: string): AccountName =>
  `${payeeAccounts(runId)}${payee.toLowerCase()}`;

/** The lower-case address whose money an agent's or a payee's account holds; null for any other account. */
export const holderOf = (account: string): string | null =>
  /^(?:agent|payee:\d+):(0x[0-9a-f]{40})$/i.exec(account)?.[1]?.toLowerCase() ?? null;

/** The chain as the ledger's outside: what it is short of is what the settlement contract holds. */
export const chainAccount = (runId: bigint): AccountName => `chain:${runId}`;
