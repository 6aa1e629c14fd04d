import type { UnitCode } from "#offchain/core/unit.ts";
import { Column, HashColumn } from "./columns.ts";
import {
  genesisHash,
  journalHash,
  metadataText,
  movedFactsOf,
  openingHash,
  openingTextOf,
} from "./digest.ts";
import type { AccountState, JournalLine, KeyUse, TransferState } from "./state.ts";

/** The newest entry of a unit's journal, and the newest of its holds. */
export interface JournalHead {
  height: number;
  hash: string;
  openings: number;
  openingHash: string;
}

const emptyHead = (): JournalHead => ({
  height: 0,
  hash: genesisHash,
  openings: 0,
  openingHash: genesisHash,
});

const columns = <Name extends string>(...names: Name[]) =>
  Object.fromEntries(names.map((name) => [name, new Column()])) as Record<Name, Column>;

/**
 * What one group writes. Rows are collected while operations are decided and turned into the text of array columns
 * in small steps, so that a full group is ready to be sent the moment the one before it is durable.
 */
export class Draft {
  readonly group: number;
  /** The moment of all that it decides. */
  readonly now: number;
  readonly opened: AccountState[] = [];
  readonly keys: KeyUse[] = [];
  readonly transfers: TransferState[] = [];
  readonly lines: JournalLine[] = [];
  /** The transfers that stay pending, in the order of their ids. */
  private readonly holds: TransferState[] = [];
  readonly touched = new Set<AccountState>();
  private readonly heads: Map<UnitCode, JournalHead>;
  private readonly units = new Set<UnitCode>();
  private readonly done = { keys: 0, holds: 0, transfers: 0, lines: 0 };
  readonly key = columns("digest", "request", "transfer");
  readonly transfer = columns(
    "id",
    "key",
    "unit",
    "debit",
    "credit",
    "amount",
    "expiresAt",
    "reference",
    "memo",
    "metadata",
    "fee",
    "feeOf",
    "reverses",
  );
  /** Beside `transfer`, row by row. */
  readonly transferHash = new HashColumn();
  readonly line = columns(
    "transfer",
    "unit",
    "height",
    "debit",
    "credit",
    "amount",
    "debitEntry",
    "debitBalance",
    "creditEntry",
    "creditBalance",
  );
  /** Beside `line`, row by row. */
  readonly lineHash = new HashColumn();

  /** @param heads The books' journal heads; encoding a line moves its unit's head. */
  constructor(group: number, heads: Map<UnitCode, JournalHead>, now: number) {
    this.group = group;
    this.now = now;
    this.heads = heads;
  }

  /** The unit of everything in it; null when there are several. */
  get onlyUnit(): UnitCode | null {
    const [unit, ...others] = this.units;
    return others.length === 0 ? (unit ?? null) : null;
  }

  get isEmpty(): boolean {
    return this.keys.length === 0;
  }

  /** Has a transfer that stays pending hashed by itself, and its fee after it. */
  hold(state: TransferState, undo: (() => void)[] | null): void {
    const held = state.fee ? [state, state.fee] : [state];
    this.holds.push(...held);
    undo?.push(() => void this.holds.splice(-held.length));
  }

  /** Writes what was added since the last time into the columns. What is encoded cannot be taken back. */
  encode(): void {
    for (; this.done.keys < this.keys.length; this.done.keys += 1) this.encodeKey(this.keys[this.done.keys]);
    for (; this.done.holds < this.holds.length; this.done.holds += 1)
      this.hashHold(this.holds[this.done.holds]);
    for (; this.done.transfers < this.transfers.length; this.done.transfers += 1)
      this.encodeTransfer(this.transfers[this.done.transfers]);
    for (; this.done.lines < this.lines.length; this.done.lines += 1)
      this.encodeLine(this.lines[this.done.lines]);
  }

  /** The accounts as the whole group leaves them. */
  accounts() {
    const account = columns(
      "id",
      "balance",
      "pending",
      "incoming",
      "entries",
      "hourly",
      "daily",
      "weekly",
      "monthly",
      "chargedAt",
    );
    for (const { id, balance, pending, incoming, entries, spending } of this.touched) {
      account.id.raw(id);
      account.balance.raw(balance);
      account.pending.raw(pending);
      account.incoming.raw(incoming);
      account.entries.raw(entries);
      account.hourly.raw(spending.hourly);
      account.daily.raw(spending.daily);
      account.weekly.raw(spending.weekly);
      account.monthly.raw(spending.monthly);
      account.chargedAt.raw(spending.chargedAt);
    }
    return account;
  }

  openings() {
    const opening = columns("id", "name", "unit", "external");
    for (const { id, name, unit, external } of this.opened) {
      opening.id.raw(id);
      opening.name.quoted(name);
      opening.unit.raw(unit);
      opening.external.raw(String(external));
    }
    return opening;
  }

  journalHeads() {
    const head = columns("unit", "height", "hash", "openings", "openingHash");
    for (const unit of this.units) {
      const { height, hash, openings, openingHash: newest } = this.headOf(unit);
      if (height === 0 && openings === 0) continue;
      head.unit.raw(unit);
      head.height.raw(height);
      head.hash.bytes(hash);
      head.openings.raw(openings);
      head.openingHash.bytes(newest);
    }
    return head;
  }

  private headOf(unit: UnitCode): JournalHead {
    const known = this.heads.get(unit);
    if (known) return known;
    const head = emptyHead();
    this.heads.set(unit, head);
    return head;
  }

  private hashHold(state: TransferState | undefined): void {
    if (!state) return;
    const head = this.headOf(state.opened.unit);
    head.openings += 1;
    const text = openingTextOf(state);
    head.openingHash = openingHash(head.openingHash, head.openings, text);
    state.held = { text, hash: head.openingHash };
  }

  private encodeKey(use: KeyUse | undefined): void {
    if (!use) return;
    const { key } = this;
    key.digest.raw(use.digest);
    key.request.raw(use.request);
    key.transfer.raw(use.state.id);
  }

  private encodeTransfer(state: TransferState | undefined): void {
    if (!state) return;
    const { transfer } = this;
    const { opened } = state;
    this.units.add(opened.unit);
    transfer.id.raw(state.id);
    transfer.key.quoted(opened.key);
    transfer.unit.raw(opened.unit);
    transfer.debit.raw(state.debit.id);
    transfer.credit.raw(state.credit.id);
    transfer.amount.raw(opened.amount);
    transfer.expiresAt.raw(opened.expiresAt);
    transfer.reference.quoted(opened.reference);
    transfer.memo.quoted(opened.memo);
    transfer.metadata.quoted(metadataText(opened.metadata));
    transfer.fee.raw(opened.fee);
    transfer.feeOf.raw(state.feeOf);
    transfer.reverses.raw(opened.reverses);
    this.transferHash.add(state.held?.hash ?? null);
  }

  private encodeLine(line: JournalLine | undefined): void {
    if (!line) return;
    const { state } = line;
    const { unit } = state.debit;
    const head = this.headOf(unit);
    head.height += 1;
    head.hash = journalHash(
      head.hash,
      head.height,
      movedFactsOf(line),
      state.held?.text ?? openingTextOf(state),
    );
    this.units.add(unit);
    const to = this.line;
    to.transfer.raw(state.id);
    to.unit.raw(unit);
    to.height.raw(head.height);
    to.debit.raw(state.debit.id);
    to.credit.raw(state.credit.id);
    to.amount.raw(line.amount);
    to.debitEntry.raw(line.debitEntry);
    to.debitBalance.raw(line.debitBalance);
    to.creditEntry.raw(line.creditEntry);
    to.creditBalance.raw(line.creditBalance);
    this.lineHash.add(head.hash);
  }
}
