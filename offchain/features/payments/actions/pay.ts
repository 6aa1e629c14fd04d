import { action, submitterOf } from "#offchain/app/action.ts";
import { provenReceipt } from "../service.ts";
import { payment, receipt } from "./schema.ts";

export const pay = action({
  name: "payments.pay",
  summary: "Submit a signed voucher; the receipt comes back once it is durable",
  route: { method: "POST", path: "/api/v1/payments" },
  role: "anonymous",
  input: payment,
  output: receipt,
  async run(world, caller, input) {
    const [outcome] = await world.micropayments.pay([input], submitterOf(caller));
    if (!outcome) throw new Error("the intake gave no outcome for a payment");
    if (!outcome.ok) throw outcome.error;
    return provenReceipt(outcome);
  },
});
