import { BursarError } from "#offchain/core/error.ts";
import {
  applyDischarge,
  capacityAt,
  changed,
  creditDown,
  type Draw,
  defaultLifetimeMs,
  discharge,
  drawEnergy,
  energyWorthDown,
  type Lot,
  outstanding,
  release,
  requireChargeable,
  reserve,
  type Source,
  spoil,
} from "#offchain/features/energy/rules/pool.ts";

export const atp = (count: number): bigint => BigInt(count) * 1_000_000n;

/** A society's pool in memory: applies what the rules say, and nothing else. */
export class Pool {
  now = 0;
  adp: bigint;
  readonly issued: bigint;
  credited = 0n;
  lots: Lot[] = [];
  sources: Source[];
  readonly charged = new Map<string, bigint>();
  readonly tickets = new Map<string, Draw[]>();
  #nextId = 1;

  constructor({ adp, watts }: { adp: bigint; watts: number[] }) {
    this.adp = adp;
    this.issued = adp;
    this.sources = watts.map((power, index) => ({
      id: `s${index}`,
      effectiveMicrowatts: atp(power),
      lapsesAt: Number.MAX_SAFE_INTEGER,
    }));
  }

  available = (): bigint => this.#sum("available");
  reserved = (): bigint => this.#sum("reserved");
  expired = (): bigint => this.#sum("expired");

  charge(amount: bigint, sourceId = "s0", lifetimeMs = defaultLifetimeMs): void {
    requireChargeable({ society: "test", ...this }, { sourceId, amount }, this.now);
    const id = String(this.#nextId++);
    this.adp -= amount;
    this.charged.set(id, amount);
    const expiresAt = this.now + lifetimeMs;
    this.lots.push({
      id,
      sourceId,
      lifetimeMs,
      expiresAt,
      available: amount,
      reserved: 0n,
      consumed: 0n,
      expired: 0n,
    });
    if (outstanding(this.lots, this.now) > capacityAt(this.sources, this.now))
      throw new RangeError("the charge exceeds the capacity");
  }

  /** Work worth `amount` of a lot that lives `lifetimeMs`. */
  allocate(amount: bigint, lifetimeMs = defaultLifetimeMs): string {
    const draws = drawEnergy(this.lots, energyWorthDown(amount, lifetimeMs), this.now);
    this.lots = changed(this.lots, reserve(draws));
    const id = String(this.#nextId++);
    this.tickets.set(id, draws);
    return id;
  }

  /** `shareBps` of what was reserved is what the work takes; above 10 000 it overruns. */
  complete(ticket: string, qualityBps: number, shareBps = 10_000): void {
    const draws = this.#open(ticket);
    const worth = draws.reduce(
      (sum, draw) => sum + energyWorthDown(draw.amount, this.#lifetime(draw.lotId)),
      0n,
    );
    const split = discharge(this.lots, draws, (worth * BigInt(shareBps)) / 10_000n, this.now);
    this.lots = changed(this.lots, applyDischarge(this.lots, split, this.now));
    const consumed = [...split.used, ...split.overrun].reduce((sum, draw) => sum + draw.amount, 0n);
    this.adp += consumed;
    this.credited += creditDown(consumed, qualityBps);
    this.tickets.delete(ticket);
  }

  fail(ticket: string): void {
    this.lots = changed(this.lots, release(this.lots, this.#open(ticket), this.now));
    this.tickets.delete(ticket);
  }

  lapse(sourceId: string): void {
    this.sources = this.sources.map((source) =>
      source.id === sourceId ? { ...source, lapsesAt: this.now } : source,
    );
  }

  /** One random step; a step that the rules refuse changes nothing. */
  attempt(verb: string, amount: bigint, pick: number, share: number): void {
    const tickets = [...this.tickets.keys()];
    const ticket = tickets[pick % Math.max(tickets.length, 1)];
    try {
      if (verb === "charge") this.charge(amount, `s${pick % 2}`, 1 + (pick % defaultLifetimeMs));
      if (verb === "allocate") this.allocate(amount, 1 + (pick % defaultLifetimeMs));
      if (verb === "complete" && ticket) this.complete(ticket, share % 10_001, share);
      if (verb === "fail" && ticket) this.fail(ticket);
      if (verb === "spoil") this.lots = changed(this.lots, spoil(this.lots, this.now));
      if (verb === "wait") this.now += pick % defaultLifetimeMs;
      if (verb === "lapse" && pick % 10 === 0) this.lapse(`s${pick % 2}`);
    } catch (error) {
      if (!(error instanceof BursarError)) throw error;
    }
  }

  #sum = (part: "available" | "reserved" | "expired"): bigint =>
    this.lots.reduce((sum, lot) => sum + lot[part], 0n);

  #open(ticket: string): Draw[] {
    const draws = this.tickets.get(ticket);
    if (!draws) throw new RangeError(`no open ticket ${ticket}`);
    return draws;
  }

  #lifetime = (lotId: string): number => this.lots.find(({ id }) => id === lotId)?.lifetimeMs ?? 0;
}
