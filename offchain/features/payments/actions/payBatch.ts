import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { submitterOf } from "#offchain/core/call/caller.ts";
import { writeError, writtenError } from "#offchain/core/call/errorBody.ts";
import { payment, receipt, receiptsProof } from "../schema.ts";
import type { Micropayments } from "../service.ts";

export const payBatch = action({
  name: "payments.payBatch",
  summary: "Submit many signed vouchers; each is accepted or refused by itself",
  effect: "write",
  resource: "/api/v1/payments/batch",
  role: "anonymous",
  input: z.object({ payments: z.array(payment).min(1).max(1000) }),
  itemsOf: (sent) => {
    const { payments } = (sent ?? {}) as { payments?: unknown };
    return Array.isArray(payments) ? payments.length : 0;
  },
  output: z.object({
    items: z.array(z.union([z.object({ receipt }), z.object({ error: writtenError })])),
    /** For all the receipts together; null when there is none. */
    proof: receiptsProof.nullable(),
  }),
  async run(payments: Micropayments, caller, { payments: requests }) {
    const outcomes = await payments.pay(requests, submitterOf(caller));
    const accepted = outcomes.filter((outcome) => outcome.ok);
    const [first] = accepted;
    return {
      items: outcomes.map((outcome) =>
        outcome.ok ? { receipt: outcome.receipt } : { error: writeError(outcome.error) },
      ),
      proof: first ? first.signed.prove(first.leaf, accepted.length) : null,
    };
  },
});
