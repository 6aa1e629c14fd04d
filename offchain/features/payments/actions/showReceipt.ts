import { z } from "@hono/zod-openapi";
import { action } from "#offchain/app/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { receipt } from "./schema.ts";

export const showReceipt = action({
  name: "payments.receipt",
  summary: "A payment's receipt as it now stands, with its carbon and ATP",
  route: { method: "GET", path: "/api/v1/payments/{paymentId}" },
  role: "anonymous",
  input: z.object({ paymentId: z.string().max(64) }),
  output: receipt,
  async run(world, _caller, { paymentId }) {
    const found = await world.micropayments.receipt(paymentId);
    if (!found)
      throw new BursarError("PAYMENT_UNKNOWN", `no payment ${paymentId} is known here`, {
        facts: { paymentId },
      });
    return found;
  },
});
