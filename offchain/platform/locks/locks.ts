import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { BursarError } from "#offchain/core/error.ts";
import type { AcquireOptions, Lease, LockKeeper, Locks } from "./lock.ts";

/** A holder that died is outlived by half a minute; who waits for it gives up before that. */
const defaults = { leaseMs: 30_000, waitMs: 10_000 };
const retryMs = 50;
/** A lease is renewed three times in its life, so that two renewals may fail. */
const renewalsPerLease = 3;
/** Longest name: it becomes a key and a row. */
const nameMax = 200;

/** Locks kept by `keeper`. */
export function openLocks(keeper: LockKeeper): Locks {
  const held = new Set<Held>();

  async function acquire(
    name: string,
    { leaseMs = defaults.leaseMs, waitMs = defaults.waitMs }: AcquireOptions = {},
  ): Promise<Lease> {
    if (name.length === 0 || name.length > nameMax || name.includes("\0"))
      throw new BursarError("VALIDATION_INVALID_INPUT", `a lock's name has 1 to ${nameMax} characters`, {
        fields: [{ field: "name", message: `must have 1 to ${nameMax} characters, none of them NUL` }],
      });
    const holder = randomUUID();
    const giveUpAt = performance.now() + waitMs;
    for (;;) {
      // The lease is counted from before the question was sent: the keeper's own count can only end later.
      const askedAt = performance.now();
      if (await answered(name, keeper.take(name, holder, leaseMs))) {
        const lease = new Held(keeper, name, holder, leaseMs, askedAt + leaseMs);
        held.add(lease);
        lease.signal.addEventListener("abort", () => held.delete(lease), { once: true });
        return lease;
      }
      const left = giveUpAt - performance.now();
      if (left <= 0)
        throw new BursarError("LOCK_BUSY", `lock ${name} is held by another`, { facts: { name, waitMs } });
      await delay(Math.min(left, retryMs * (0.5 + Math.random())));
    }
  }

  return {
    acquire,
    async close() {
      await Promise.allSettled([...held].map((lease) => lease.release()));
      await keeper.close();
    },
  };
}

class Held implements Lease {
  readonly name: string;
  readonly #keeper: LockKeeper;
  readonly #holder: string;
  readonly #leaseMs: number;
  readonly #ending = new AbortController();
  #expiry: NodeJS.Timeout;
  readonly #renewal: NodeJS.Timeout;

  constructor(keeper: LockKeeper, name: string, holder: string, leaseMs: number, endsAt: number) {
    this.name = name;
    this.#keeper = keeper;
    this.#holder = holder;
    this.#leaseMs = leaseMs;
    this.#expiry = this.#expireAt(endsAt);
    this.#renewal = setInterval(() => void this.#renew(), leaseMs / renewalsPerLease);
    this.#renewal.unref();
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  async release(): Promise<void> {
    if (this.signal.aborted) return;
    this.#end("was released");
    // A keeper that does not answer lets the lease run out by itself.
    await this.#keeper.drop(this.name, this.#holder).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #renew(): Promise<void> {
    const askedAt = performance.now();
    // While the keeper does not answer the lease still stands, until it has run out.
    const isHeld = await this.#keeper.renew(this.name, this.#holder, this.#leaseMs).catch(() => undefined);
    if (this.signal.aborted || isHeld === undefined) return;
    if (!isHeld) return this.#end("is held by another");
    clearTimeout(this.#expiry);
    this.#expiry = this.#expireAt(askedAt + this.#leaseMs);
  }

  #expireAt(endsAt: number): NodeJS.Timeout {
    const timer = setTimeout(
      () => this.#end("could not be renewed"),
      Math.max(0, endsAt - performance.now()),
    );
    timer.unref();
    return timer;
  }

  #end(why: string): void {
    clearTimeout(this.#expiry);
    clearInterval(this.#renewal);
    this.#ending.abort(
      new BursarError("LOCK_LOST", `lock ${this.name} ${why}`, {
        facts: { name: this.name },
      }),
    );
  }
}

async function answered<Value>(name: string, answer: Promise<Value>): Promise<Value> {
  try {
    return await answer;
  } catch (cause) {
    throw new BursarError("LOCK_UNAVAILABLE", "what keeps the locks does not answer", {
      facts: { name },
      cause,
    });
  }
}
