import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { CompletedWork } from "#offchain/features/energy/service.ts";
import { creditExpiresAt } from "../rules/credit.ts";
import type { Receipt } from "../service.ts";
import type { StoredPayment } from "../store/receipts.ts";

/** What a receipt says of the payment itself. */
export interface ReceiptFacts {
  id: bigint;
  key: string;
  channelId: `0x${string}`;
  /** Addresses are checksummed. */
  payer: `0x${string}`;
  payee: `0x${string}`;
  unit: UnitCode;
  amount: bigint;
  cumulative: bigint;
  state: Receipt["state"];
  refusal: Receipt["refusal"];
  reference: string | null;
  acceptedAt: number;
  batchId: bigint;
  transactionHash: string | null;
  credit: { cumulative: bigint; epoch: number; office: number } | null;
}

export function receiptOf(facts: ReceiptFacts, ticket: CompletedWork | null): Receipt {
  const { credit } = facts;
  return {
    paymentId: facts.id.toString(),
    key: facts.key,
    channelId: facts.channelId,
    payer: facts.payer,
    payee: facts.payee,
    amount: { amount: formatAmount(facts.amount, facts.unit), unit: facts.unit },
    cumulative: facts.cumulative.toString(),
    state: facts.state,
    refusal: facts.refusal,
    reference: facts.reference,
    acceptedAt: facts.acceptedAt,
    batchId: facts.batchId.toString(),
    transactionHash: facts.transactionHash,
    carbon: ticket && {
      co2Micrograms: ticket.co2Micrograms.toString(),
      energyMillijoules: ticket.energyMillijoules.toString(),
      waterMicrolitres: ticket.waterMicrolitres.toString(),
      factor: ticket.factor,
    },
    energy: ticket && {
      ticketId: ticket.ticketId,
      atp: { amount: formatAmount(ticket.atp, "ATP"), unit: "ATP" },
    },
    credit: credit && {
      cumulative: credit.cumulative.toString(),
      epoch: credit.epoch,
      office: credit.office,
      expiresAt: creditExpiresAt(facts.acceptedAt),
      signature: null,
    },
    proof: null,
  };
}

/** The receipt of a stored payment as it now stands, without the operator's signature. */
export const storedReceipt = (payment: StoredPayment, ticket: CompletedWork | null): Receipt =>
  receiptOf({ ...payment, payee: payment.payee ?? payment.receiver, state: stateOf(payment) }, ticket);

/** A payment's state is never stored: it follows from its channel's claimed amount, its refusal and its batch. */
function stateOf({ batchState, cumulative, claimed, refusal }: StoredPayment): Receipt["state"] {
  if (batchState === "lost") return "lost";
  if (cumulative > claimed) return refusal ? "refused" : "accepted";
  return batchState === "settled" ? "settled" : "claimed";
}
