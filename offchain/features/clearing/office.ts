import type { Clock } from "#offchain/core/clock.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { ClearingContract, OperatorInOffice } from "./contract.ts";

/** How old what is known may be, ms: an operator is told days before that another one follows. */
const keptMs = 5_000;

/**
 * Who operates Clearing, kept: a payment that is being booked waits for no chain. It is read anew by the job that clears,
 * every few seconds.
 */
export class HubOffice {
  readonly #contract: Pick<ClearingContract, "operator">;
  readonly #self: string;
  readonly #clock: Clock;
  #known: (OperatorInOffice & { readonly readAt: number }) | null = null;

  /** @param self this service's operator */
  constructor(contract: Pick<ClearingContract, "operator">, self: string, clock: Clock) {
    this.#contract = contract;
    this.#self = self.toLowerCase();
    this.#clock = clock;
  }

  async refresh(): Promise<OperatorInOffice> {
    const now = this.#clock.now();
    if (this.#known === null || !isYounger(this.#known.readAt, keptMs, now))
      this.#known = { ...(await this.#contract.operator()), readAt: now };
    return this.#known;
  }

  /** The number of this operator's office; null: another one is in office. */
  async own(): Promise<number | null> {
    const { operator, office } = this.#known ?? (await this.refresh());
    return this.isOwn(operator) ? office : null;
  }

  isOwn(operator: string): boolean {
    return operator.toLowerCase() === this.#self;
  }

  /** Who is in office instead of this operator, as far as is known. */
  get other(): `0x${string}` | null {
    return this.#known && !this.isOwn(this.#known.operator) ? this.#known.operator : null;
  }
}
