import type { UnitCode } from "#offchain/core/unit.ts";
import type { Spending } from "../rules/budget.ts";
import { remembered } from "../rules/limits.ts";
import { type AccountName, accountKind, externalKinds } from "../rules/transfer.ts";
import type { Draft, JournalHead } from "./draft.ts";
import type { AccountState, TransferState } from "./state.ts";

/** What is known of the ledger between groups: accounts, transfers and keys, as the decisions so far leave them. */
export class Memory {
  /** The version of the ledger that these books continue; null when they know nothing. */
  version: bigint | null = null;
  lastTransfer = 0;
  lastAccount = 0;
  readonly heads = new Map<UnitCode, JournalHead>();
  protected readonly accounts = new Map<UnitCode, Map<AccountName, AccountState>>();
  protected readonly transfers = new Map<number, TransferState>();
  protected readonly keys = new Map<string, { request: string; state: TransferState }>();

  /** Forgets everything. */
  clear(): void {
    this.version = null;
    this.heads.clear();
    this.accounts.clear();
    this.transfers.clear();
    this.keys.clear();
  }

  accountOf(name: AccountName, unit: UnitCode): AccountState | undefined {
    return this.accounts.get(unit)?.get(name);
  }

  transferOf(id: number): TransferState | undefined {
    return this.transfers.get(id);
  }

  knowsKey(key: string): boolean {
    return this.keys.has(key);
  }

  addAccount(account: AccountState): void {
    const known = this.accounts.get(account.unit);
    if (known) known.set(account.name, account);
    else this.accounts.set(account.unit, new Map([[account.name, account]]));
  }

  /** An account that stands in no table: it comes into being with the first operation that succeeds. */
  addAbsent(name: AccountName, unit: UnitCode): void {
    if (this.accountOf(name, unit)) return;
    const spending: Spending = { hourly: 0n, daily: 0n, weekly: 0n, monthly: 0n, chargedAt: 0 };
    const nothing = { balance: 0n, pending: 0n, incoming: 0n, entries: 0, suspended: false, limits: null };
    const external = externalKinds.has(accountKind(name));
    this.addAccount({ id: 0, name, unit, external, ...nothing, spending, group: 0 });
  }

  addTransfer(state: TransferState): void {
    this.transfers.set(state.id, state);
  }

  addKey(key: string, request: string, state: TransferState): void {
    this.keys.set(key, { request, state });
  }

  /** The draft's group is durable: resolved transfers are let go, and, once too much is remembered, all that it and those before touched last. */
  forget({ group: durable, lines }: Draft): void {
    for (const { state } of lines) if (state.group <= durable) this.transfers.delete(state.id);
    const isFull = [...this.accounts.values()].some(({ size }) => size > remembered.accounts);
    if (isFull || this.transfers.size > remembered.transfers)
      for (const [id, { group }] of this.transfers) if (group <= durable) this.transfers.delete(id);
    if (isFull) {
      // A transfer that stays must keep meeting its own accounts.
      const parties = new Set([...this.transfers.values()].flatMap(({ debit, credit }) => [debit, credit]));
      for (const accounts of this.accounts.values())
        for (const [name, account] of accounts)
          if (account.group <= durable && !parties.has(account)) accounts.delete(name);
    }
    if (this.keys.size <= remembered.keys) return;
    for (const key of this.keys.keys()) {
      if (this.keys.size <= remembered.keys / 2) break;
      this.keys.delete(key);
    }
  }
}
