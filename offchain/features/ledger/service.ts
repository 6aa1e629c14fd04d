import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Allowance, BudgetPeriod } from "./rules/budget.ts";
import type { Bounds, FeeTerms } from "./rules/fee.ts";
import type { LedgerHead } from "./rules/head.ts";
import type {
  Account,
  AccountName,
  LedgerOperation,
  LedgerOutcome,
  Metadata,
  Transfer,
} from "./rules/transfer.ts";

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

/** What all accounts of a unit hold together. */
export interface UnitSum {
  unit: UnitCode;
  sum: bigint;
  accounts: number;
}

/** Whether the books are whole: Σ per unit, entries against balances, holds against pending. */
export interface TrialBalance {
  balanced: boolean;
  /** Per unit: the sum over all accounts; zero when balanced. */
  sums: UnitSum[];
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

/** One page of a listing; `next` continues it. */
export interface Page<Item> {
  items: Item[];
  next: string | null;
}

/** An account with its limits as they stand now. */
export interface Standing extends Account {
  openedAt: number;
  limits: Allowance[];
}

/** A transfer to come: once, or again and again. */
export interface Schedule {
  id: string;
  key: string;
  owner: string;
  debit: AccountName;
  credit: AccountName;
  unit: UnitCode;
  amount: bigint;
  reference: string | null;
  memo: string | null;
  /** Milliseconds between runs; null: once. */
  everyMs: number | null;
  runsMax: number;
  runs: number;
  nextAt: number | null;
  state: "active" | "done" | "cancelled";
  createdAt: number;
  /** `skipped`: the times due before it that nobody ran, and nobody will. */
  lastRun: { ranAt: number; transferId: string | null; errorCode: string | null; skipped: number } | null;
}

export type ScheduleRequest = Pick<
  Schedule,
  "key" | "owner" | "debit" | "credit" | "unit" | "amount" | "reference" | "memo" | "everyMs" | "runsMax"
> & {
  startsAt: number;
  /** As of a transfer: of a new request only. */
  bounds?: Bounds | undefined;
};

/** The ledger inside another feature's database transaction: its rows and the ledger's change together or not at all. */
export interface LedgerWithin {
  /**
   * Applies operations in order and says what became of each; the caller's transaction holds the ledger until it ends.
   * Accounts come into being with their first movement. Nothing is written for a refused operation.
   */
  applyWithin(tx: Tx, operations: readonly LedgerOperation[], now: number): Promise<LedgerOutcome[]>;
  /** Books for a caller that writes again and again, and must not read the same accounts each time. */
  keepBooks(): KeptBooks;
}

/** What one caller knows of the ledger, kept from one of its transactions to the next. */
export interface KeptBooks {
  /** Takes the ledger until the transaction ends; books that are behind start anew. */
  take(tx: Tx): Promise<void>;
  /**
   * Applies operations in a transaction that has taken the ledger.
   * @param areKeysNew no key was ever used, so none is looked for; else the database refuses the group (23505)
   */
  apply(
    tx: Tx,
    operations: readonly LedgerOperation[],
    now: number,
    areKeysNew: boolean,
  ): Promise<LedgerOutcome[]>;
  /** To be called when the transaction failed: what was applied in it never happened. */
  clear(): void;
}

/** What an account holds. */
export interface Balance {
  /** Credits minus debits that are posted. */
  balance: bigint;
  /** Reserved by pending debits. */
  pending: bigint;
}

/** What an account held when it was looked up; one that never moved holds nothing. */
export type BalanceOf = (name: AccountName, unit: UnitCode) => Balance;

export interface OwedAccount extends Balance {
  name: AccountName;
  unit: UnitCode;
}

/** A transfer that was made to wait, as it stands now. */
export interface Hold {
  /** What it reserves, or did, base units. */
  amount: bigint;
  /** Neither posted nor voided. */
  isOpen: boolean;
}

/** An account that holds something. */
export interface FundedAccount {
  /** Rises with every account that is opened: a page goes on behind it. */
  id: bigint;
  name: AccountName;
  unit: UnitCode;
  balance: bigint;
  /** How many journal entries moved it. */
  entries: bigint;
}

export interface FundedQuery {
  /** What the names begin with. */
  prefix: string;
  units: readonly UnitCode[];
  /** The id of the last account already seen. */
  after?: bigint | undefined;
  /** Absent: all. */
  limit?: number | undefined;
}

/** The ledger as another feature's transaction sees it, so that its figures and the feature's rows are of one moment. */
export interface LedgerFigures {
  balancesWithin(tx: Tx, names: readonly AccountName[]): Promise<BalanceOf>;
  /** Holds by the id of their transfer; an id that is unknown is absent. */
  holdsWithin(tx: Tx, transferIds: readonly string[]): Promise<Map<string, Hold>>;
  /** Accounts with a balance above zero, in the order of their ids. */
  fundedWithin(sql: Sql | Tx, query: FundedQuery): Promise<FundedAccount[]>;
  /** Each unit's balances added up, as they are kept with the accounts: zero when the books balance. */
  sumsWithin(tx: Tx): Promise<UnitSum[]>;
  /** Every account of these units that holds something and does not stand for the outside world. */
  owedWithin(tx: Tx, units: readonly UnitCode[]): Promise<OwedAccount[]>;
}

/** The double-entry ledger. Every promise that resolves is durable: written, synced, and safe from a kill. */
export interface Ledger extends LedgerWithin, LedgerFigures {
  /** One outcome for each operation, in order. Operations sharing a `link` stand or fall together. */
  submit(operations: readonly LedgerOperation[]): Promise<LedgerOutcome[]>;
  account(name: AccountName, unit: UnitCode): Promise<Account | null>;
  accounts(names: readonly AccountName[]): Promise<Account[]>;
  transfer(id: string): Promise<Transfer | null>;
  /** Newest first. */
  entries(query: EntryQuery): Promise<Entry[]>;
  /** Reads the whole journal: for checks of the books, not for whoever asks. */
  trialBalance(): Promise<TrialBalance>;
  /** The newest hashes of all units and of the rules, of one moment, in the order of their names. */
  heads(): Promise<LedgerHead[]>;
  /** The hashes that stand now at the heights of these heads; empty where there are not so many any more. */
  headsAt(heads: readonly LedgerHead[]): Promise<LedgerHead[]>;

  /** Opens accounts that nothing has moved yet; those that exist stay as they are. */
  open(accounts: readonly { name: AccountName; unit: UnitCode }[]): Promise<void>;
  standings(name: AccountName, unit?: UnitCode): Promise<Standing[]>;
  /** The balance as it was at the end of that millisecond. */
  balanceAt(name: AccountName, unit: UnitCode, at: number): Promise<bigint>;
  /** Holds of an account, on either side, that are not resolved; newest first. */
  pending(query: {
    account: AccountName;
    unit?: UnitCode | undefined;
    cursor?: bigint | undefined;
    limit: number;
  }): Promise<Page<Transfer>>;
  /** Sets spending limits; null takes one away, what is not named stays. Refuses an account that does not exist. */
  setLimits(
    name: AccountName,
    unit: UnitCode,
    limits: Partial<Record<BudgetPeriod, bigint | null>>,
  ): Promise<Standing>;
  /** Suspends every account of that name, or lifts it; how many there are. */
  suspend(name: AccountName, isSuspended: boolean): Promise<number>;
  /** Terms of transfers between agents, every unit's. */
  fees(): Promise<FeeTerms[]>;
  setFees(terms: FeeTerms): Promise<FeeTerms>;
  schedule(request: ScheduleRequest): Promise<Schedule>;
  schedules(query: { owner: string; cursor?: bigint | undefined; limit: number }): Promise<Page<Schedule>>;
  /** Runs that are in hand are done; none comes after. */
  cancelSchedule(owner: string | null, id: string): Promise<Schedule>;
}
