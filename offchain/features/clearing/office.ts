import type { Clock } from "#offchain/core/clock.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { ClearingContract, OperatorInOffice } from "./contract.ts";

/**
 * Who operates Clearing, kept: a payment that is being booked waits for no chain. It is read anew by the job that clears,
 * once for each head.
 */
export class HubOffice {
  readonly #contract: Pick<ClearingContract, "operator">;
  readonly #self: string;
  readonly #readings: AtHead<OperatorInOffice>;
  #known: OperatorInOffice | null = null;

  /** @param self this service's operator */
  constructor(
    contract: Pick<ClearingContract, "operator">,
    self: string,
    view: Pick<ChainView, "status">,
    clock: Clock,
  ) {
    this.#contract = contract;
    this.#self = self.toLowerCase();
    this.#readings = new AtHead(view, clock);
  }

  async refresh(): Promise<OperatorInOffice> {
    this.#known = await this.#readings.get("", () => this.#contract.operator());
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
