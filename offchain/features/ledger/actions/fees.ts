import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { amount, money, unit } from "#offchain/app/schema.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import { assertWithin, type FeeTerms, feeUp, freeTerms } from "../fee.ts";
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
  .openapi("FeeTerms");

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
  route: { method: "GET", path: "/api/v1/token/fees/config" },
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(terms) }),
  run: async (world) => ({ items: (await world.ledger.fees()).map(termsView) }),
});

export const setFees = action({
  name: "ledger.setFees",
  summary: "Set what transfers between agents cost, and how small and large they may be",
  route: { method: "PUT", path: "/api/v1/token/fees/config" },
  role: "operator",
  input: z.object({
    unit,
    fixed: amount.default("0"),
    rateBps: z.number().int().min(0).max(10_000).default(0),
    minimum: amount.optional(),
    maximum: amount.nullable().default(null),
  }),
  output: terms,
  run: async (world, _caller, { unit: of, fixed, rateBps, minimum, maximum }) =>
    termsView(
      await world.ledger.setFees({
        unit: of,
        fixed: parseAmount(fixed, of),
        rateBps,
        minimum: minimum === undefined ? 1n : positive(minimum, of),
        maximum: maximum === null ? null : positive(maximum, of),
      }),
    ),
});

export const calculateFee = action({
  name: "ledger.calculateFee",
  summary: "What a transfer of an amount between agents would cost",
  route: { method: "GET", path: "/api/v1/token/fees/calculate" },
  role: "anonymous",
  input: z.object({ unit, amount }),
  output: z.object({ amount: money, fee: money, total: money }),
  run: async (world, _caller, { unit: of, amount: text }) => {
    const asked = positive(text, of);
    const found = (await world.ledger.fees()).find((each) => each.unit === of) ?? freeTerms(of);
    assertWithin(found, asked);
    const fee = feeUp(found, asked);
    const written = (base: bigint) => ({ amount: formatAmount(base, of), unit: of });
    return { amount: written(asked), fee: written(fee), total: written(asked + fee) };
  },
});
