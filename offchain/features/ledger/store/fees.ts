import type { Clock } from "#offchain/core/clock.ts";
import { type UnitCode, unitCodes } from "#offchain/core/unit.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type FeeTerms, freeTerms } from "../fee.ts";

/** How long terms are believed before the table is read again: what another instance sets counts after that. */
const believedMs = 1_000;

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
    if (!this.known || now - this.known.readAt >= believedMs) {
      const known = { terms: this.read(), readAt: now };
      this.known = known;
      known.terms.catch(() => {
        if (this.known === known) this.known = null;
      });
    }
    return this.known.terms;
  }

  async set({ unit, fixed, rateBps, minimum, maximum }: FeeTerms): Promise<FeeTerms> {
    const highest = maximum?.toString() ?? null;
    await this.sql`
      INSERT INTO ledger_fee (unit, fixed, rate_bps, minimum, maximum, updated_at)
      VALUES (${unit}, ${fixed.toString()}, ${rateBps}, ${minimum.toString()}, ${highest}, ${this.clock.now()})
      ON CONFLICT (unit) DO UPDATE SET fixed = excluded.fixed, rate_bps = excluded.rate_bps,
        minimum = excluded.minimum, maximum = excluded.maximum, updated_at = excluded.updated_at`;
    this.known = null;
    return { unit, fixed, rateBps, minimum, maximum };
  }

  private async read(): Promise<FeeTerms[]> {
    const rows = await this.sql<
      { unit: UnitCode; fixed: bigint; rate_bps: number; minimum: bigint; maximum: bigint | null }[]
    >`SELECT unit, fixed, rate_bps, minimum, maximum FROM ledger_fee`;
    const set = new Map(rows.map(({ rate_bps, ...row }) => [row.unit, { ...row, rateBps: rate_bps }]));
    return unitCodes.map((unit) => set.get(unit) ?? freeTerms(unit));
  }
}
