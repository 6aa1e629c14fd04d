import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { BursarError } from "#offchain/core/error.ts";
import { text } from "#offchain/core/schema.ts";
import { receipt } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const showReceipt = action({
  name: "payments.receipt",
  summary: "A payment's receipt as it now stands, with its carbon and ATP",
  effect: "read",
  resource: "/api/v1/payments/{paymentId}",
  role: "anonymous",
  input: z.object({ paymentId: text(64) }),
  output: receipt,
  async run(payments: Micropayments, _caller, { paymentId }) {
    const found = await payments.receipt(paymentId);
    if (!found)
      throw new BursarError("PAYMENT_UNKNOWN", `no payment ${paymentId} is known here`, {
        facts: { paymentId },
      });
    return found;
  },
});
