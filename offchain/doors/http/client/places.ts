import { BursarError } from "#offchain/core/error.ts";

/** Who holds a place: by address, unless it is one without limits. */
export interface Holder {
  readonly ip: string;
  readonly isExemptFromRates: boolean;
}

interface Options {
  /** What is held, in the plural, for the error. */
  readonly what: string;
  /** The setting's name, which is the fact that the error carries. */
  readonly limit: string;
  readonly most: number;
  /** Of one address. */
  readonly share: number;
}

interface Held {
  /** Ends what holds the place; null: it cannot be ended early. */
  readonly end: (() => void) | null;
}

/**
 * Something that is held open and bounded, in all and for each address, so that nobody can take it from the others: when
 * all places are taken, the address that holds most of them gives its oldest to one that holds clearly fewer.
 */
export class Places {
  readonly #options: Options;
  /** By address, each one's oldest first. */
  readonly #held = new Map<string, Set<Held>>();
  #count = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#count >= this.#options.most;
  }

  hasRoom(holder: Holder): boolean {
    try {
      this.assertRoom(holder);
      return true;
    } catch {
      return false;
    }
  }

  /** @throws BursarError OVERLOADED: all are taken; RATE_LIMITED: this address has its share */
  assertRoom({ ip, isExemptFromRates }: Holder): void {
    const { what, limit, most, share } = this.#options;
    if (this.isFull && !this.#spareFor(ip))
      throw new BursarError("OVERLOADED", `${most} ${what} are open already`, { facts: { [limit]: most } });
    if (!isExemptFromRates && (this.#held.get(ip)?.size ?? 0) >= share)
      throw new BursarError("RATE_LIMITED", `${share} ${what} of ${ip} are open already`, {
        facts: { limit: share, retryAfterMs: 1_000 },
      });
  }

  /**
   * Takes a place.
   * @param end ends what holds it, for somebody who holds fewer
   * @returns what gives it back, however often it is called @throws as `assertRoom`
   */
  take(holder: Holder, end: (() => void) | null = null): () => void {
    this.assertRoom(holder);
    const { ip } = holder;
    const spare = this.isFull ? this.#spareFor(ip) : null;
    if (spare) {
      this.#leave(spare.ip, spare.held);
      spare.held.end?.();
    }
    const held = { end };
    this.#count += 1;
    this.#held.set(ip, (this.#held.get(ip) ?? new Set()).add(held));
    return () => this.#leave(ip, held);
  }

  #leave(ip: string, held: Held): void {
    const ofAddress = this.#held.get(ip);
    if (!ofAddress?.delete(held)) return;
    this.#count -= 1;
    if (ofAddress.size === 0) this.#held.delete(ip);
  }

  /** The place that this address may have of the one that holds most; null when nobody holds two more than it. */
  #spareFor(ip: string): { ip: string; held: Held } | null {
    let most = ip;
    for (const [other, held] of this.#held) if (held.size > (this.#held.get(most)?.size ?? 0)) most = other;
    const own = this.#held.get(ip)?.size ?? 0;
    if ((this.#held.get(most)?.size ?? 0) < own + 2) return null;
    for (const held of this.#held.get(most) ?? []) if (held.end) return { ip: most, held };
    return null;
  }
}
