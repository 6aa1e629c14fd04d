import { createHash } from "node:crypto";
import type { LedgerOutcome } from "#offchain/actions/ledger/port.ts";
import { BursarError } from "#offchain/domain/error.ts";
import type { LedgerOperation, Transfer } from "#offchain/domain/ledger.ts";
import { maxAmount, type UnitCode } from "#offchain/domain/unit.ts";

export interface AccountState {
  id: bigint;
  name: Transfer["debit"];
  unit: UnitCode;
  external: boolean;
  balance: bigint;
  pending: bigint;
  suspended: boolean;
  touched: boolean;
}

export interface TransferState {
  transfer: Transfer;
  debit: AccountState;
  credit: AccountState;
  /** In the table already; else to be inserted. */
  stored: boolean;
  changed: boolean;
}

/** What one operation did, so that a linked group can be undone. */
type Undo = () => void;

/**
 * Decides what becomes of operations, in memory: the accounts and transfers that they touch are put in, the operations
 * are applied in order, and what changed is read out. Knows no database.
 */
export class Books {
  readonly now: number;
  readonly accounts = new Map<string, AccountState>();
  readonly accountsById = new Map<bigint, AccountState>();
  /** Accounts that came into being for these operations. */
  readonly created = new Set<bigint>();
  readonly transfers = new Map<string, TransferState>();
  readonly keys = new Map<string, { hash: string; transfer: TransferState }>();
  readonly resolutions: { key: string; hash: string; transfer: TransferState }[] = [];
  readonly entries: {
    transfer: TransferState;
    account: AccountState;
    amount: bigint;
    balanceAfter: bigint;
  }[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** One outcome for each operation. Nothing stays of an operation that fails; linked ones fail together. */
  apply(operations: readonly LedgerOperation[]): LedgerOutcome[] {
    const outcomes: LedgerOutcome[] = new Array(operations.length);
    for (const group of groups(operations)) this.applyGroup(operations, group, outcomes);
    return outcomes;
  }

  /** Puts in an account that is locked. */
  addAccount(account: AccountState): void {
    this.accounts.set(`${account.name} ${account.unit}`, account);
    this.accountsById.set(account.id, account);
  }

  /** Puts in a transfer that is locked, with the hash of the request that made it. */
  addTransfer(state: TransferState, hash: string): void {
    this.transfers.set(state.transfer.id, state);
    this.keys.set(state.transfer.key, { hash, transfer: state });
  }

  private applyGroup(
    operations: readonly LedgerOperation[],
    group: readonly number[],
    outcomes: LedgerOutcome[],
  ): void {
    const undo: Undo[] = [];
    for (const at of group) {
      const operation = operations[at] as LedgerOperation;
      try {
        const { state, replayed } = this.applyOne(operation, undo);
        outcomes[at] = { ok: true, transfer: state.transfer, replayed };
      } catch (error) {
        if (!(error instanceof BursarError)) throw error;
        for (const back of undo.reverse()) back();
        for (const other of group)
          outcomes[other] = { ok: false, error: other === at ? error : linkFailed(operation, error) };
        return;
      }
    }
  }

  private applyOne(operation: LedgerOperation, undo: Undo[]): { state: TransferState; replayed: boolean } {
    const hash = requestHash(operation);
    const earlier = this.keys.get(operation.key);
    if (earlier) {
      if (earlier.hash !== hash)
        throw new BursarError(
          "IDEMPOTENCY_CONFLICT",
          `key "${operation.key}" was used for another operation`,
          {
            facts: { key: operation.key, transferId: earlier.transfer.transfer.id },
          },
        );
      return { state: earlier.transfer, replayed: true };
    }
    const state =
      operation.kind === "transfer" || operation.kind === "hold"
        ? this.open(operation, undo)
        : this.resolve(operation, undo);
    this.keys.set(operation.key, { hash, transfer: state });
    undo.push(() => this.keys.delete(operation.key));
    if (operation.kind === "post" || operation.kind === "void") {
      this.resolutions.push({ key: operation.key, hash, transfer: state });
      undo.push(() => this.resolutions.pop());
    }
    return { state, replayed: false };
  }

  private open(
    operation: Extract<LedgerOperation, { kind: "transfer" | "hold" }>,
    undo: Undo[],
  ): TransferState {
    const { amount, unit } = operation;
    if (amount <= 0n || amount > maxAmount)
      throw new BursarError("AMOUNT_INVALID", "amount must be above zero and at most 38 digits", {
        facts: { amount, unit },
      });
    if (operation.debit === operation.credit)
      throw new BursarError("TRANSFER_SELF", "debit and credit are the same account", {
        facts: { account: operation.debit },
      });
    const debit = this.account(operation.debit, unit);
    const credit = this.account(operation.credit, unit);
    for (const account of [debit, credit])
      if (account.suspended)
        throw new BursarError("ACCOUNT_SUSPENDED", `account ${account.name} is suspended`, {
          facts: { account: account.name, unit },
        });
    const available = debit.balance - debit.pending;
    if (!debit.external && available < amount)
      throw new BursarError("INSUFFICIENT_FUNDS", `account ${debit.name} has less available than asked`, {
        facts: { account: debit.name, unit, got: amount, limit: available },
      });
    const state: TransferState = {
      transfer: {
        id: "",
        key: operation.key,
        debit: operation.debit,
        credit: operation.credit,
        unit,
        amount,
        state: "pending",
        reference: operation.reference ?? null,
        memo: operation.memo ?? null,
        createdAt: this.now,
        expiresAt: operation.kind === "hold" ? (operation.expiresAt ?? null) : null,
        resolvedAt: null,
        postedAmount: null,
      },
      debit,
      credit,
      stored: false,
      changed: true,
    };
    this.change(debit, 0n, amount, undo);
    this.transfers.set(`key:${operation.key}`, state);
    undo.push(() => this.transfers.delete(`key:${operation.key}`));
    if (operation.kind === "transfer") this.close(state, amount, undo);
    return state;
  }

  private resolve(
    operation: Extract<LedgerOperation, { kind: "post" | "void" }>,
    undo: Undo[],
  ): TransferState {
    const { transferId } = operation;
    const state = this.transfers.get(transferId);
    if (!state)
      throw new BursarError("TRANSFER_UNKNOWN", `no transfer ${transferId}`, { facts: { transferId } });
    const { transfer } = state;
    if (transfer.state !== "pending")
      throw new BursarError("TRANSFER_NOT_PENDING", `transfer ${transferId} is ${transfer.state} already`, {
        facts: { transferId, state: transfer.state, resolvedAt: transfer.resolvedAt },
      });
    if (operation.kind === "void") {
      this.close(state, 0n, undo);
      return state;
    }
    if (transfer.expiresAt !== null && this.now > transfer.expiresAt)
      throw new BursarError("TRANSFER_EXPIRED", `transfer ${transferId} expired`, {
        facts: { transferId, expiresAt: transfer.expiresAt },
      });
    const amount = operation.amount ?? transfer.amount;
    if (amount <= 0n)
      throw new BursarError("AMOUNT_INVALID", "posted amount must be above zero", {
        facts: { transferId, amount },
      });
    if (amount > transfer.amount)
      throw new BursarError(
        "TRANSFER_EXCEEDS_PENDING",
        `transfer ${transferId} reserved less than is posted`,
        {
          facts: { transferId, got: amount, limit: transfer.amount },
        },
      );
    this.close(state, amount, undo);
    return state;
  }

  /** Posts `amount` of a pending transfer and releases the rest; zero voids it. */
  private close(state: TransferState, amount: bigint, undo: Undo[]): void {
    const before = { transfer: state.transfer, changed: state.changed, entries: this.entries.length };
    this.change(state.debit, -amount, -state.transfer.amount, undo);
    if (amount > 0n) {
      this.change(state.credit, amount, 0n, undo);
      this.entries.push(
        { transfer: state, account: state.debit, amount: -amount, balanceAfter: state.debit.balance },
        { transfer: state, account: state.credit, amount, balanceAfter: state.credit.balance },
      );
    }
    state.transfer = {
      ...state.transfer,
      state: amount > 0n ? "posted" : "voided",
      resolvedAt: this.now,
      postedAmount: amount > 0n ? amount : null,
    };
    state.changed = true;
    undo.push(() => {
      state.transfer = before.transfer;
      state.changed = before.changed;
      this.entries.length = before.entries;
    });
  }

  private change(account: AccountState, balance: bigint, pending: bigint, undo: Undo[]): void {
    account.balance += balance;
    account.pending += pending;
    account.touched = true;
    undo.push(() => {
      account.balance -= balance;
      account.pending -= pending;
    });
  }

  private account(name: Transfer["debit"], unit: UnitCode): AccountState {
    const account = this.accounts.get(`${name} ${unit}`);
    if (!account) throw new Error(`account ${name} in ${unit} was not loaded`);
    return account;
  }
}

/** Positions of the operations that stand or fall together, in order of their first member. */
function groups(operations: readonly LedgerOperation[]): number[][] {
  const found = new Map<string, number[]>();
  for (const [at, { link }] of operations.entries()) {
    const group = link === undefined ? `at:${at}` : `link:${link}`;
    const members = found.get(group);
    if (members) members.push(at);
    else found.set(group, [at]);
  }
  return [...found.values()];
}

const linkFailed = (operation: LedgerOperation, cause: BursarError) =>
  new BursarError("TRANSFER_LINK_FAILED", `a linked operation failed: ${cause.message}`, {
    facts: { link: operation.link, key: operation.key, code: cause.code },
    cause,
  });

/** Binds a key to the whole operation, so that the same key with another request is seen. */
function requestHash(operation: LedgerOperation): string {
  const { key: _, link: __, ...request } = operation;
  const text = JSON.stringify(
    Object.entries(request)
      .filter(([, value]) => value !== undefined)
      .toSorted(),
    (_key, value) => (typeof value === "bigint" ? `${value}n` : value),
  );
  return createHash("sha256").update(text).digest("hex");
}
