import { BursarError } from "#offchain/core/error.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import {
  brokenLimit,
  charge,
  giveBack,
  isSameHour,
  isWithinLimits,
  type Windows,
  windowsAt,
} from "../rules/budget.ts";
import {
  type AccountName,
  accountKind,
  type LedgerOperation,
  type LedgerOutcome,
  type Transfer,
} from "../rules/transfer.ts";
import { halfDigest, requestDigest } from "./digest.ts";
import { Draft } from "./draft.ts";
import { linkedGroups } from "./linked.ts";
import { Memory } from "./memory.ts";
import { assertMovable } from "./movable.ts";
import {
  accountSuspended,
  accountUnknown,
  assertAmount,
  assertDescription,
  budgetExceeded,
  exceedsPending,
  exceedsPosted,
  feeTransfer,
  holdExpired,
  keyConflict,
  linkFailed,
  notPending,
  notPosted,
  transferExpired,
  transferIdOf,
  transferUnknown,
} from "./refusals.ts";
import type { AccountState, TransferState } from "./state.ts";

/** What one operation did, in reverse, so that a linked group can be undone. */
type Undo = (() => void)[];

type Opening = Extract<LedgerOperation, { kind: "transfer" | "hold" }>;
type Reversal = Extract<LedgerOperation, { kind: "reverse" }>;
type Resolving = Extract<LedgerOperation, { kind: "post" | "void" }>;

/**
 * Decides what becomes of operations, in memory: what they touch is put in, they are applied in order, and a
 * {@link Draft} says what to write. Stays true from group to group for as long as nobody else writes, which the
 * ledger's version tells. Knows no database.
 */
export class Books extends Memory {
  private draft = new Draft(0, this.heads, 0);
  private windows: Windows = windowsAt(0);
  private now = 0;

  /** Starts a group: what is decided from now on goes into its draft. */
  open(group: number, now: number): Draft {
    this.draft = new Draft(group, this.heads, now);
    this.now = now;
    if (!isSameHour(this.windows, now)) this.windows = windowsAt(now);
    return this.draft;
  }

  /** One outcome for each operation. Nothing stays of an operation that fails; linked ones fail together. */
  apply(operations: readonly LedgerOperation[]): LedgerOutcome[] {
    const outcomes: LedgerOutcome[] = new Array(operations.length);
    if (operations.every(({ link }) => link === undefined)) {
      for (const [at, operation] of operations.entries()) outcomes[at] = this.applyAlone(operation);
    } else for (const group of linkedGroups(operations)) this.applyLinked(operations, group, outcomes);
    return outcomes;
  }

  /** Every rule is checked before anything changes, so an operation by itself needs no undoing. */
  private applyAlone(operation: LedgerOperation): LedgerOutcome {
    try {
      return this.applyOne(operation, null);
    } catch (error) {
      if (!(error instanceof BursarError)) throw error;
      return { ok: false, error };
    }
  }

  private applyLinked(
    operations: readonly LedgerOperation[],
    group: readonly number[],
    outcomes: LedgerOutcome[],
  ): void {
    const undo: Undo = [];
    for (const at of group) {
      const operation = operations[at] as LedgerOperation;
      try {
        outcomes[at] = this.applyOne(operation, undo);
      } catch (error) {
        if (!(error instanceof BursarError)) throw error;
        for (const back of undo.reverse()) back();
        for (const other of group)
          outcomes[other] = { ok: false, error: other === at ? error : linkFailed(operation, error) };
        return;
      }
    }
  }

  private applyOne(operation: LedgerOperation, undo: Undo | null): LedgerOutcome {
    const request = requestDigest(operation);
    const earlier = this.keys.get(operation.key);
    if (earlier) {
      if (earlier.request !== request) throw keyConflict(operation.key, earlier.state.opened.id);
      return { ok: true, transfer: answerTo(operation, earlier.state), replayed: true };
    }
    const state = this.perform(operation, undo);
    this.keys.set(operation.key, { request, state });
    this.draft.keys.push({ digest: halfDigest(operation.key), request, state });
    undo?.push(() => {
      this.keys.delete(operation.key);
      this.draft.keys.pop();
    });
    return { ok: true, transfer: answerTo(operation, state), replayed: false };
  }

  private perform(operation: LedgerOperation, undo: Undo | null): TransferState {
    switch (operation.kind) {
      case "transfer":
      case "hold":
        return this.start(operation, undo);
      case "reverse":
        return this.reverse(operation, undo);
      default:
        return this.resolve(operation, undo);
    }
  }

  private start(operation: Opening, undo: Undo | null): TransferState {
    const { amount, unit, fee } = operation;
    assertAmount(amount, unit, operation.bounds);
    if (fee) assertAmount(fee.amount, unit);
    assertDescription(operation);
    const debit = this.account(operation.debit, unit);
    const credit = this.account(operation.credit, unit);
    const total = fee ? amount + fee.amount : amount;
    if (operation.mustExist)
      for (const account of [debit, credit]) if (account.id === 0) throw accountUnknown(account);
    const expiresAt = operation.kind === "hold" ? (operation.expiresAt ?? null) : null;
    if (expiresAt !== null && expiresAt <= this.now) throw holdExpired(expiresAt, this.now);
    assertMovable(debit, credit, amount, total);
    if (fee) assertMovable(debit, this.account(fee.credit, unit), fee.amount, total);
    if (debit.limits && !isWithinLimits(total, debit.limits, debit.spending, this.windows)) {
      const broken = brokenLimit(total, debit.limits, debit.spending, this.windows);
      if (broken) throw budgetExceeded(debit, total, broken);
    }
    const carrier = fee
      ? { credit: this.account(fee.credit, unit), amount: fee.amount, of: this.lastTransfer + 1 }
      : null;
    const state = this.add(operation, debit, credit, { expiresAt, carrier, reverses: null }, undo);
    if (accountKind(debit.name) === "agent") this.spend(debit, total, undo);
    if (operation.kind === "transfer") this.close(state, amount, undo);
    else this.draft.hold(state, undo);
    return state;
  }

  private reverse(operation: Reversal, undo: Undo | null): TransferState {
    const original = this.known(operation.transferId);
    const { current } = original;
    const moved = current.postedAmount;
    if (moved === null) throw notPosted(current);
    const left = moved - original.reversed;
    const amount = operation.amount ?? left;
    if (left > 0n || operation.amount !== undefined) assertAmount(amount, current.unit);
    if (amount > left || left === 0n) throw exceedsPosted(current.id, amount, left);
    assertDescription(operation);
    const movement = { debit: current.credit, credit: current.debit, unit: current.unit, amount };
    assertMovable(original.credit, original.debit, amount, amount);
    const state = this.add(
      { ...operation, ...movement },
      original.credit,
      original.debit,
      { expiresAt: null, carrier: null, reverses: original.id },
      undo,
    );
    original.reversed += amount;
    original.group = this.draft.group;
    undo?.push(() => {
      original.reversed -= amount;
    });
    this.close(state, amount, undo);
    return state;
  }

  private resolve(operation: Resolving, undo: Undo | null): TransferState {
    const state = this.known(operation.transferId);
    const { current } = state;
    const { id: transferId } = current;
    if (state.feeOf !== null) throw feeTransfer(transferId, state.feeOf);
    if (current.state !== "pending") throw notPending(current);
    if (operation.kind === "void") {
      this.close(state, 0n, undo);
      return state;
    }
    if (current.expiresAt !== null && this.now > current.expiresAt) throw transferExpired(current);
    const amount = operation.amount ?? current.amount;
    assertAmount(amount, current.unit);
    if (amount > current.amount) throw exceedsPending(current, amount);
    for (const account of [state.debit, state.credit]) if (account.suspended) throw accountSuspended(account);
    this.close(state, amount, undo);
    return state;
  }

  private add(
    operation: Opening | (Reversal & Omit<Opening, "kind">),
    debit: AccountState,
    credit: AccountState,
    more: {
      expiresAt: number | null;
      carrier: { credit: AccountState; amount: bigint; of: number } | null;
      reverses: number | null;
    },
    undo: Undo | null,
  ): TransferState {
    const id = this.nextTransfer(undo);
    const fee = more.carrier && this.addFee(operation.key, debit, more.carrier, more.expiresAt, undo);
    const opened: Transfer = {
      id: String(id),
      key: operation.key,
      debit: debit.name,
      credit: credit.name,
      unit: debit.unit,
      amount: operation.amount,
      state: "pending",
      reference: operation.reference ?? null,
      memo: operation.memo ?? null,
      metadata: operation.metadata && Object.keys(operation.metadata).length > 0 ? operation.metadata : null,
      fee: more.carrier?.amount ?? null,
      reverses: more.reverses === null ? null : String(more.reverses),
      createdAt: this.now,
      expiresAt: more.expiresAt,
      resolvedAt: null,
      postedAmount: null,
    };
    return this.enter({ id, debit, credit, opened, fee, feeOf: null }, undo);
  }

  private addFee(
    key: string,
    debit: AccountState,
    carrier: { credit: AccountState; amount: bigint; of: number },
    expiresAt: number | null,
    undo: Undo | null,
  ): TransferState {
    const id = this.nextTransfer(undo);
    const opened: Transfer = {
      id: String(id),
      key: `${key}#fee`,
      debit: debit.name,
      credit: carrier.credit.name,
      unit: debit.unit,
      amount: carrier.amount,
      state: "pending",
      reference: `fee:${carrier.of}`,
      memo: null,
      metadata: null,
      fee: null,
      reverses: null,
      createdAt: this.now,
      expiresAt,
      resolvedAt: null,
      postedAmount: null,
    };
    return this.enter({ id, debit, credit: carrier.credit, opened, fee: null, feeOf: carrier.of }, undo);
  }

  /** Puts a new transfer into books and draft, and reserves what it will move. */
  private enter(
    made: Pick<TransferState, "id" | "debit" | "credit" | "opened" | "fee" | "feeOf">,
    undo: Undo | null,
  ): TransferState {
    const { group } = this.draft;
    const state: TransferState = { ...made, current: made.opened, reversed: 0n, group, held: null };
    this.bringIntoBeing(state.debit, undo);
    this.bringIntoBeing(state.credit, undo);
    this.transfers.set(state.id, state);
    this.draft.transfers.push(state);
    undo?.push(() => {
      this.transfers.delete(state.id);
      this.draft.transfers.pop();
    });
    this.change(state.debit, 0n, state.opened.amount, 0n, 0, undo);
    this.change(state.credit, 0n, 0n, state.opened.amount, 0, undo);
    return state;
  }

  /** Posts `amount` of a pending transfer and releases the rest; zero voids it. Its fee shares its fate. */
  private close(state: TransferState, amount: bigint, undo: Undo | null): void {
    const { debit, credit, opened } = state;
    const before = state.current;
    const isPosted = amount > 0n;
    const step = isPosted ? 1 : 0;
    this.change(debit, -amount, -opened.amount, 0n, step, undo);
    this.change(credit, amount, 0n, -opened.amount, step, undo);
    this.draft.lines.push({
      state,
      amount,
      debitEntry: isPosted ? debit.entries : null,
      debitBalance: isPosted ? debit.balance : null,
      creditEntry: isPosted ? credit.entries : null,
      creditBalance: isPosted ? credit.balance : null,
      resolvedAt: this.now,
    });
    state.current = {
      ...opened,
      state: isPosted ? "posted" : "voided",
      resolvedAt: this.now,
      postedAmount: isPosted ? amount : null,
    };
    state.group = this.draft.group;
    undo?.push(() => {
      this.draft.lines.pop();
      state.current = before;
    });
    if (amount < opened.amount && opened.reverses === null && accountKind(debit.name) === "agent")
      this.unspend(state, opened.amount - amount, undo);
    if (state.fee) this.close(state.fee, isPosted ? state.fee.opened.amount : 0n, undo);
  }

  private spend(account: AccountState, amount: bigint, undo: Undo | null): void {
    const before = undo && { ...account.spending };
    charge(account.spending, amount, this.windows, this.now);
    undo?.push(() => Object.assign(account.spending, before));
  }

  private unspend({ debit, opened }: TransferState, amount: bigint, undo: Undo | null): void {
    const before = undo && { ...debit.spending };
    giveBack(debit.spending, amount, opened.createdAt, this.windows, this.now);
    undo?.push(() => Object.assign(debit.spending, before));
  }

  private change(
    account: AccountState,
    balance: bigint,
    pending: bigint,
    incoming: bigint,
    entries: number,
    undo: Undo | null,
  ): void {
    account.balance += balance;
    account.pending += pending;
    account.incoming += incoming;
    account.entries += entries;
    account.group = this.draft.group;
    this.draft.touched.add(account);
    undo?.push(() => {
      account.balance -= balance;
      account.pending -= pending;
      account.incoming -= incoming;
      account.entries -= entries;
    });
  }

  private bringIntoBeing(account: AccountState, undo: Undo | null): void {
    if (account.id !== 0) return;
    this.lastAccount += 1;
    account.id = this.lastAccount;
    this.draft.opened.push(account);
    undo?.push(() => {
      account.id = 0;
      this.lastAccount -= 1;
      this.draft.opened.pop();
      this.draft.touched.delete(account);
    });
  }

  private nextTransfer(undo: Undo | null): number {
    this.lastTransfer += 1;
    undo?.push(() => {
      this.lastTransfer -= 1;
    });
    return this.lastTransfer;
  }

  private known(transferId: string): TransferState {
    const id = transferIdOf(transferId);
    const state = id === null ? undefined : this.transfers.get(id);
    if (!state) throw transferUnknown(transferId);
    return state;
  }

  private account(name: AccountName, unit: UnitCode): AccountState {
    const account = this.accountOf(name, unit);
    if (!account) throw new Error(`account ${name} in ${unit} was not loaded`);
    return account;
  }
}

/** What an operation is answered, now and whenever it is repeated: a hold the pending transfer, the others the resolved one. */
const answerTo = ({ kind }: LedgerOperation, { opened, current }: TransferState): Transfer =>
  kind === "hold" ? opened : current;
