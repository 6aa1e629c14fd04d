import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { address, page, pageOf } from "#offchain/app/schema.ts";
import { receipt } from "./schema.ts";

export const listPayments = action({
  name: "payments.list",
  summary: "Receipts, newest first, by payer, payee or batch",
  route: { method: "GET", path: "/api/v1/payments" },
  role: "anonymous",
  input: z.object({
    payer: address.optional(),
    payee: address.optional(),
    batchId: z.string().max(64).optional(),
    ...page,
  }),
  output: pageOf(receipt),
  run: (world, _caller, input) => world.micropayments.payments(input),
});
