import type { SaleOutcome } from "#offchain/core/call/pricing.ts";
import { answerJson, answerText, type Headers } from "../answer.ts";
import { encodeHeader } from "./paymentHeader.ts";

/** A sale's outcome in HTTP: 200 with the receipt, or 402 with the ways to pay or what became of the payment. */
export function answerSale(outcome: SaleOutcome, headers: Headers): Response {
  switch (outcome.state) {
    case "paid": {
      const { status, body, receipt } = outcome.answer;
      return answerText(status, body, {
        "content-type": "application/json",
        ...headers,
        ...receiptHeader(receipt, outcome.version),
      });
    }
    case "required": {
      const { asked, error, explain, version1 } = outcome;
      const all = { ...headers, "payment-required": encodeHeader(asked) };
      return answerJson(402, version1 ?? (explain ? { error, explain } : {}), all);
    }
    case "failed": {
      const { error, explain, receipt, version } = outcome;
      const body = { error, ...(explain && { explain }) };
      return answerJson(402, body, { ...headers, ...receiptHeader(receipt, version) });
    }
  }
}

const receiptHeader = (receipt: object, version: 1 | 2): Headers =>
  version === 1
    ? { "x-payment-response": encodeHeader(receipt) }
    : { "payment-response": encodeHeader(receipt) };
