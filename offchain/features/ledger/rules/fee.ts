import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";

/** How small and large a transfer may be; base units. */
export interface Bounds {
  minimum: bigint;
  /** Null: no limit but the ledger's own. */
  maximum: bigint | null;
}

/** What a transfer between agents costs, and how small and large it may be; base units. */
export interface FeeTerms extends Bounds {
  unit: UnitCode;
  fixed: bigint;
  rateBps: number;
}

/** Where fees go. */
export const systemTreasury = "treasury:system";

export const freeTerms = (unit: UnitCode): FeeTerms => ({
  unit,
  fixed: 0n,
  rateBps: 0,
  minimum: 1n,
  maximum: null,
});

/** The fee of a transfer; the part that depends on the amount is rounded up, towards the treasury. */
export const feeUp = ({ fixed, rateBps }: Pick<FeeTerms, "fixed" | "rateBps">, amount: bigint): bigint =>
  fixed + (amount * BigInt(rateBps) + 9_999n) / 10_000n;

/** @throws BursarError AMOUNT_BELOW_MINIMUM, AMOUNT_ABOVE_MAXIMUM */
export function assertWithin({ minimum, maximum }: Bounds, amount: bigint, unit: UnitCode): void {
  if (amount < minimum)
    throw new BursarError(
      "AMOUNT_BELOW_MINIMUM",
      `a transfer in ${unit} is at least ${formatAmount(minimum, unit)}`,
      {
        facts: { unit, got: amount, limit: minimum },
      },
    );
  if (maximum !== null && amount > maximum)
    throw new BursarError(
      "AMOUNT_ABOVE_MAXIMUM",
      `a transfer in ${unit} is at most ${formatAmount(maximum, unit)}`,
      {
        facts: { unit, got: amount, limit: maximum },
      },
    );
}
