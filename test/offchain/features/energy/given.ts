import type { UnitCode } from "#offchain/core/unit.ts";
import type { Lot, LotChange } from "#offchain/features/energy/rules/pool.ts";
import type { Ticket, TicketRequest } from "#offchain/features/energy/rules/ticket.ts";
import type { AccountName, LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";

/** What the tests of energy's rules start from: lots, tickets and a ledger in memory. */

export const hour = 3_600_000;
export const week = 7 * 24 * hour;
export const owner = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
export const worker = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";

export const lot = (id: string, change: Partial<Lot> = {}): Lot => ({
  id,
  sourceId: "grid:ABC",
  lifetimeMs: week,
  expiresAt: week,
  available: 0n,
  reserved: 0n,
  consumed: 0n,
  expired: 0n,
  ...change,
});

/** An H100 for five seconds under the seeds' arithmetic: 700 W · 5 000 ms = 3 500 000 mJ. */
export const request = (key: string, change: Partial<TicketRequest> = {}): TicketRequest => ({
  key,
  society: "s",
  worker,
  requester: null,
  computeType: "H100",
  durationMs: 5_000,
  region: "us-east",
  profile: "legacy",
  description: "",
  timeoutMs: hour,
  ...change,
});

export function ticket(id: string, change: Partial<Ticket> = {}): Ticket {
  const { timeoutMs, ...described } = request(`key of ${id}`);
  return {
    ...described,
    id,
    state: "allocated",
    reserved: 5_788n,
    createdAt: 0,
    deadlineAt: timeoutMs,
    resolvedAt: null,
    reason: null,
    result: null,
    ...change,
  };
}

/** What the four parts of all changes add up to: zero, for nothing appears or vanishes in a lot. */
export const netOf = (changes: readonly LotChange[]): bigint =>
  changes.reduce(
    (sum, { available, reserved, consumed, expired }) => sum + available + reserved + consumed + expired,
    0n,
  );

/** A ledger in memory that does what energy asks of one, and refuses what the real one would refuse. A hold's id is its key. */
export class Accounts {
  readonly #balances = new Map<string, bigint>();
  readonly #holds = new Map<string, { debit: AccountName; credit: AccountName; amount: bigint }>();
  readonly #keys = new Set<string>();

  balance = (account: AccountName, unit: UnitCode): bigint => this.#balances.get(`${account} ${unit}`) ?? 0n;

  pending = (account: AccountName): bigint =>
    [...this.#holds.values()]
      .filter(({ debit }) => debit === account)
      .reduce((sum, { amount }) => sum + amount, 0n);

  apply(operations: readonly LedgerOperation[]): void {
    for (const operation of operations) {
      if (this.#keys.has(operation.key)) throw new RangeError(`the key ${operation.key} was used`);
      this.#keys.add(operation.key);
      if (operation.kind === "transfer") this.#move(operation);
      else if (operation.kind === "hold") this.#hold(operation);
      else if (operation.kind === "reverse") throw new RangeError("energy takes nothing back");
      else {
        const held = this.#holds.get(operation.transferId);
        if (!held) throw new RangeError(`no hold ${operation.transferId}`);
        this.#holds.delete(operation.transferId);
        if (operation.kind === "void") continue;
        const amount = operation.amount ?? held.amount;
        if (amount <= 0n || amount > held.amount) throw new RangeError(`${amount} of ${held.amount}`);
        this.#move({ ...held, unit: "ATP", amount });
      }
    }
  }

  #hold(hold: { key: string; debit: AccountName; credit: AccountName; amount: bigint }): void {
    if (hold.amount <= 0n) throw new RangeError(`a hold of ${hold.amount}`);
    this.#holds.set(hold.key, hold);
  }

  #move(transfer: { debit: AccountName; credit: AccountName; unit: UnitCode; amount: bigint }): void {
    const { debit, credit, unit, amount } = transfer;
    if (amount <= 0n) throw new RangeError(`a transfer of ${amount}`);
    const left = this.balance(debit, unit) - amount;
    if (left < 0n && !/^(issuer|capacity|grid):/.test(debit)) throw new RangeError(`${debit} has too little`);
    this.#balances.set(`${debit} ${unit}`, left);
    this.#balances.set(`${credit} ${unit}`, this.balance(credit, unit) + amount);
  }
}
