import type { UnitCode } from "#offchain/core/unit.ts";
import type { Limits, Spending } from "../rules/budget.ts";
import type { AccountName, Transfer } from "../rules/transfer.ts";

/** An account as the decisions so far leave it. Ids and counts are numbers: they stay far below 2^53. */
export interface AccountState {
  /** Zero while the account stands in no table and no draft. */
  id: number;
  readonly name: AccountName;
  readonly unit: UnitCode;
  readonly external: boolean;
  balance: bigint;
  pending: bigint;
  incoming: bigint;
  /** How many journal entries moved it. */
  entries: number;
  suspended: boolean;
  limits: Limits | null;
  readonly spending: Spending;
  /** The last group that changed it: it is remembered at least until that group is durable. */
  group: number;
}

export interface TransferState {
  readonly id: number;
  readonly debit: AccountState;
  readonly credit: AccountState;
  /** As it was opened: what the key of its hold stands for. */
  readonly opened: Transfer;
  /** As it stands. */
  current: Transfer;
  /** The transfer that carries its fee. */
  readonly fee: TransferState | null;
  /** Whether it is itself the fee of another. */
  readonly feeOf: number | null;
  /** How much of it was taken back. */
  reversed: bigint;
  group: number;
  /** What was hashed of a hold, and its hash: its journal entry binds the same text. Null for others. */
  held: { readonly text: string; readonly hash: string } | null;
}

/** A line of the journal: what became of a transfer. */
export interface JournalLine {
  readonly state: TransferState;
  /** Zero when voided; then the entries and balances are null. */
  readonly amount: bigint;
  readonly debitEntry: number | null;
  readonly debitBalance: bigint | null;
  readonly creditEntry: number | null;
  readonly creditBalance: bigint | null;
  readonly resolvedAt: number;
}

/** A use of an idempotency key. */
export interface KeyUse {
  readonly digest: string;
  /** Digest of the request that it stood for. */
  readonly request: string;
  readonly state: TransferState;
}
