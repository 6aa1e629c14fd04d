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

/** Something that is held open and bounded, in all and for each address, so that nobody can take it from the others. */
export class Places {
  readonly #options: Options;
  readonly #held = new Map<string, number>();
  #count = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  get isFull(): boolean {
    return this.#count >= this.#options.most;
  }

  /** @throws BursarError OVERLOADED: all are taken; RATE_LIMITED: this address has its share */
  assertRoom({ ip, isExemptFromRates }: Holder): void {
    const { what, limit, most, share } = this.#options;
    if (this.#count >= most)
      throw new BursarError("OVERLOADED", `${most} ${what} are open already`, { facts: { [limit]: most } });
    if (!isExemptFromRates && (this.#held.get(ip) ?? 0) >= share)
      throw new BursarError("RATE_LIMITED", `${share} ${what} of ${ip} are open already`, {
        facts: { limit: share, retryAfterMs: 1_000 },
      });
  }

  /** Takes a place. @returns what gives it back, however often it is called @throws as `assertRoom` */
  take(holder: Holder): () => void {
    this.assertRoom(holder);
    const { ip } = holder;
    this.#count += 1;
    this.#held.set(ip, (this.#held.get(ip) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#count -= 1;
      const left = (this.#held.get(ip) ?? 1) - 1;
      if (left > 0) this.#held.set(ip, left);
      else this.#held.delete(ip);
    };
  }
}
