import { action } from "#offchain/core/action.ts";
import { submitterOf } from "#offchain/core/call/caller.ts";
import { payment, receipt } from "../schema.ts";
import type { Micropayments, PaymentOutcome } from "../service.ts";
import { provenReceipt } from "../service.ts";

export const pay = action({
  name: "payments.pay",
  summary: "Submit a signed voucher; the receipt comes back once it is durable",
  effect: "write",
  resource: "/api/v1/payments",
  role: "anonymous",
  input: payment,
  output: receipt,
  async run(payments: Micropayments, caller, input) {
    const [outcome] = await payments.pay([input], submitterOf(caller));
    if (!outcome) throw new Error("the intake gave no outcome for a payment");
    if (!outcome.ok) throw outcome.error;
    return provenReceipt(outcome);
  },
  stream: {
    kind: "messages",
    summary: "Signed vouchers over one connection, each answered by its receipt or its error",
    resource: "/api/v1/micropayments/stream",
    words: { input: "payment", output: "receipt" },
    // Vouchers of a channel build upon each other.
    laneOf: ({ channelId }) => channelId,
    async runAll(payments: Micropayments, caller, inputs) {
      const outcomes = await payments.pay(inputs, submitterOf(caller));
      return outcomes.map(answered);
    },
  },
});

const answered = (outcome: PaymentOutcome) =>
  outcome.ok
    ? { ok: true as const, output: provenReceipt(outcome) }
    : { ok: false as const, error: outcome.error };
