import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { amount, money, unit } from "#offchain/core/schema.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import { assertWithin, type FeeTerms, feeUp, freeTerms } from "../rules/fee.ts";
import type { Ledger } from "../service.ts";
import { positive } from "./access.ts";

const terms = z
  .object({
    unit,
    /** Charged on every transfer. */
    fixed: money,
    /** Basis points of the amount, rounded up. */
    rateBps: z.number().int(),
    minimum: money,
    maximum: money.nullable(),
  })
  .meta({ id: "FeeTerms" });

const termsView = ({ unit: of, fixed, rateBps, minimum, maximum }: FeeTerms): z.input<typeof terms> => {
  const written = (base: bigint) => ({ amount: formatAmount(base, of), unit: of });
  return {
    unit: of,
    fixed: written(fixed),
    rateBps,
    minimum: written(minimum),
    maximum: maximum === null ? null : written(maximum),
  };
};

export const listFees = action({
  name: "ledger.fees",
  summary: "What transfers between agents cost, and how small and large they may be",
  effect: "read",
  resource: "/api/v1/token/fees/config",
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(terms) }),
  run: async (ledger: Ledger) => ({ items: (await ledger.fees()).map(termsView) }),
});

export const setFees = action({
  name: "ledger.setFees",
  summary: "Set what transfers between agents cost, and how small and large they may be",
  effect: "replace",
  resource: "/api/v1/token/fees/config",
  role: "operator",
  input: z.object({
    unit,
    fixed: amount.default("0"),
    rateBps: z.number().int().min(0).max(10_000).default(0),
    minimum: amount.optional(),
    maximum: amount.nullable().default(null),
  }),
  output: terms,
  run: async (ledger: Ledger, _caller, { unit: of, fixed, rateBps, minimum, maximum }) => {
    const least = minimum === undefined ? 1n : positive(minimum, of);
    const most = maximum === null ? null : positive(maximum, of);
    if (most !== null && most < least)
      throw new BursarError("VALIDATION_INVALID_INPUT", "maximum: nothing could be transferred", {
        facts: { minimum: least, maximum: most },
        fields: [{ field: "maximum", message: "must not be below the minimum", value: maximum }],
      });
    return termsView(
      await ledger.setFees({
        unit: of,
        fixed: parseAmount(fixed, of),
        rateBps,
        minimum: least,
        maximum: most,
      }),
    );
  },
});

export const calculateFee = action({
  name: "ledger.calculateFee",
  summary: "What a transfer of an amount between agents would cost",
  effect: "read",
  resource: "/api/v1/token/fees/calculate",
  role: "anonymous",
  input: z.object({ unit, amount }),
  output: z.object({ amount: money, fee: money, total: money }),
  run: async (ledger: Ledger, _caller, { unit: of, amount: text }) => {
    const asked = positive(text, of);
    const found = (await ledger.fees()).find((each) => each.unit === of) ?? freeTerms(of);
    assertWithin(found, asked, of);
    const fee = feeUp(found, asked);
    const written = (base: bigint) => ({ amount: formatAmount(base, of), unit: of });
    return { amount: written(asked), fee: written(fee), total: written(asked + fee) };
  },
});
