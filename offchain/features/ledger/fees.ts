import type { Clock } from "#offchain/core/clock.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { FeeTerms } from "./rules/fee.ts";
import { feesBelievedMs } from "./rules/limits.ts";
import { readFees, saveFees } from "./store/fees.ts";

/** The terms of transfers between agents, remembered for a moment. */
export class Fees {
  private readonly sql: Sql;
  private readonly clock: Clock;
  private known: { terms: Promise<FeeTerms[]>; readAt: number } | null = null;

  constructor(sql: Sql, clock: Clock) {
    this.sql = sql;
    this.clock = clock;
  }

  all(): Promise<FeeTerms[]> {
    const now = this.clock.now();
    if (!this.known || !isYounger(this.known.readAt, feesBelievedMs, now)) {
      const known = { terms: readFees(this.sql), readAt: now };
      this.known = known;
      known.terms.catch(() => {
        if (this.known === known) this.known = null;
      });
    }
    return this.known.terms;
  }

  async set(terms: FeeTerms): Promise<FeeTerms> {
    await saveFees(this.sql, terms, this.clock.now());
    this.known = null;
    return terms;
  }
}
