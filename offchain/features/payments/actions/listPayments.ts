import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { address, page, pageOf, rowNumber } from "#offchain/core/schema.ts";
import { receipt } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const listPayments = action({
  name: "payments.list",
  summary: "Receipts, newest first, by payer, payee or batch",
  effect: "read",
  resource: "/api/v1/payments",
  role: "anonymous",
  input: z.object({
    payer: address.optional(),
    payee: address.optional(),
    batchId: rowNumber("must be the id of a batch").optional(),
    ...page,
  }),
  output: pageOf(receipt),
  run: (payments: Micropayments, _caller, input) => payments.payments(input),
});
