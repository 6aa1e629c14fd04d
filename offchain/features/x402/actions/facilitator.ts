import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { money } from "#offchain/core/schema.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import type { X402 } from "../service.ts";

const extra = z.record(z.string(), z.unknown()).optional();

const request = z
  .looseObject({
    x402Version: z.unknown().optional().describe("1 or 2"),
    paymentPayload: z.unknown().optional().describe("What the client signed"),
    paymentRequirements: z.unknown().optional().describe("What the resource server asked"),
  })
  .meta({ id: "X402Request" });

export const supported = action({
  name: "x402.supported",
  summary: "The schemes and networks that this facilitator settles, and the address that sends",
  effect: "read",
  resource: "/x402/supported",
  role: "anonymous",
  input: z.object({}),
  output: z.object({
    kinds: z.array(z.object({ x402Version: z.number(), scheme: z.string(), network: z.string(), extra })),
    extensions: z.array(z.string()),
    signers: z.record(z.string(), z.array(z.string())),
  }),
  run: (x402: X402) => x402.supported(),
});

const price = z.object({
  action: z.string().describe("The operationId of the OpenAPI description"),
  /** Of one call; with `perItem`, the most that one call may cost. */
  price: money,
  perItem: money.nullable(),
});

export const prices = action({
  name: "x402.prices",
  summary: "The actions that cost something, and what; every other action is free",
  effect: "read",
  resource: "/x402/prices",
  role: "anonymous",
  input: z.object({}),
  output: z.object({ items: z.array(price) }),
  run: async (x402: X402) => ({
    items: [...x402.prices].map(([name, { amount, perItem }]) => ({
      action: name,
      price: { amount: formatAmount(amount, "USDC"), unit: "USDC" as const },
      perItem: perItem === null ? null : { amount: formatAmount(perItem, "USDC"), unit: "USDC" as const },
    })),
  }),
});

/** Writes nothing. A refusal is an answer with a code of the x402 specification, not an HTTP error. */
export const verify = action({
  name: "x402.verify",
  summary: "Whether a payment could be settled now; if not, why not and what to do",
  effect: "write",
  resource: "/x402/verify",
  role: "anonymous",
  input: request,
  output: z.object({
    isValid: z.boolean(),
    invalidReason: z.string().optional(),
    invalidMessage: z.string().optional(),
    payer: z.string().optional(),
    extra,
  }),
  run: (x402: X402, _caller, input) => x402.verify(input),
});

/** The same payment may be sent again without end: it is settled once, and answers the same. */
export const settle = action({
  name: "x402.settle",
  summary: "Bring a payment to the chain, once; settlement_pending while it is on its way",
  effect: "write",
  resource: "/x402/settle",
  role: "anonymous",
  input: request,
  output: z.object({
    success: z.boolean(),
    errorReason: z.string().optional(),
    errorMessage: z.string().optional(),
    payer: z.string().optional(),
    transaction: z.string(),
    network: z.string(),
    amount: z.string().optional(),
    extra,
  }),
  run: (x402: X402, _caller, input) => x402.settle(input),
});
