import type { BursarError } from "#offchain/domain/error.ts";
import type { Account, AccountName, LedgerOperation, Metadata, Transfer } from "#offchain/domain/ledger.ts";
import type { UnitCode } from "#offchain/domain/unit.ts";

/** One operation's durable outcome: the transfer as it then stood, or why not. */
export type LedgerOutcome =
  | { ok: true; transfer: Transfer; replayed: boolean }
  | { ok: false; error: BursarError };

export interface Entry {
  /** Counts the account's entries from one; the cursor of a statement. */
  number: bigint;
  transferId: string;
  account: AccountName;
  unit: UnitCode;
  /** Credits above zero, debits below. */
  amount: bigint;
  balanceAfter: bigint;
  postedAt: number;
  reference: string | null;
  memo: string | null;
  metadata: Metadata | null;
  counterparty: AccountName;
}

export interface EntryQuery {
  account: AccountName;
  unit: UnitCode;
  /** The number of the last entry already seen. */
  before?: bigint | undefined;
  /** Epoch ms, included; excluded. */
  from?: number | undefined;
  to?: number | undefined;
  limit: number;
}

/** Whether the books are whole: Σ per unit, entries against balances, holds against pending. */
export interface TrialBalance {
  balanced: boolean;
  /** Per unit: the sum over all accounts; zero when balanced. */
  sums: { unit: UnitCode; sum: bigint; accounts: number }[];
  /** Accounts whose stored figures differ from their entries or holds. */
  mismatches: {
    account: AccountName;
    unit: UnitCode;
    balance: bigint;
    entries: bigint;
    pending: bigint;
    held: bigint;
  }[];
}

/** The double-entry ledger. Every promise that resolves is durable: written, synced, and safe from a kill. */
export interface Ledger {
  /** One outcome for each operation, in order. Operations sharing a `link` stand or fall together. */
  submit(operations: readonly LedgerOperation[]): Promise<LedgerOutcome[]>;
  account(name: AccountName, unit: UnitCode): Promise<Account | null>;
  accounts(names: readonly AccountName[]): Promise<Account[]>;
  transfer(id: string): Promise<Transfer | null>;
  /** Newest first. */
  entries(query: EntryQuery): Promise<Entry[]>;
  trialBalance(): Promise<TrialBalance>;
}
