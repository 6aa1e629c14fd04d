import { copyInto } from "#offchain/platform/database/copy.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { Admitted } from "../rules/admission.ts";

/** Numbers for new payments, ascending; those of refused ones stay unused. */
export async function takePaymentIds(tx: Tx, count: number): Promise<bigint[]> {
  const [row] = await tx<{ ids: string }[]>`
    SELECT string_agg(nextval('payment_id_seq')::text, ',') AS ids
    FROM generate_series(1, ${count})`;
  return row?.ids.split(",").map(BigInt) ?? [];
}

const paymentColumns = [
  "id",
  "channel",
  "key",
  "cumulative",
  "amount",
  "signature",
  "batch_id",
  "transfer_id",
  "ticket_id",
  "reference",
  "payee",
  "credited",
  "epoch",
  "office",
  "accepted_at",
] as const;

/** @param transferIds the ledger's reservation of each */
export function insertPayments(
  tx: Tx,
  admitted: readonly Admitted[],
  { paymentIds, transferIds, now }: { paymentIds: bigint[]; transferIds: string[]; now: number },
): Promise<void> {
  return copyInto(
    tx,
    "payment",
    paymentColumns,
    admitted,
    (out, { payment, channel, amount, batch, credit }, at) => {
      const text = (value: string | undefined) => (value === undefined ? out.null() : out.text(value));
      out.int8(Number(paymentIds[at]));
      out.int8(Number(channel.id));
      out.text(payment.key);
      out.numeric(payment.maxClaimableAmount);
      out.numeric(amount);
      out.raw(payment.signature);
      out.int8(Number(batch.id));
      out.text(transferIds[at] ?? "");
      text(payment.ticketId);
      text(payment.reference);
      if (credit) {
        out.bytes(credit.payee);
        out.numeric(credit.cumulative);
        out.int4(credit.epoch);
        out.int4(credit.office);
      } else for (let column = 0; column < 4; column += 1) out.null();
      out.int8(now);
    },
  );
}
