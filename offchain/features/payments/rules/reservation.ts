import type { LedgerOperation } from "#offchain/features/ledger/rules/transfer.ts";
import { channelAccount, payeeAccount } from "./accounts.ts";
import type { Admitted } from "./admission.ts";
import type { AcceptingChannel } from "./group.ts";

interface Group {
  first: Admitted;
  amount: bigint;
  index: number;
}

/** The ledger's pending transfers for admitted payments, one for each channel and batch. The batches must be stored before. */
export function reservations(
  admitted: readonly Admitted[],
  runId: bigint,
): {
  holds: LedgerOperation[];
  /** For each payment which of the holds is its own. */
  holdOf: number[];
} {
  const groups: Group[] = [];
  const groupOf = new Map<AcceptingChannel, Group>();
  const holdOf = admitted.map((one) => {
    let group = groupOf.get(one.channel);
    if (!group || group.first.batch !== one.batch) {
      group = { first: one, amount: 0n, index: groups.length };
      groups.push(group);
      groupOf.set(one.channel, group);
    }
    group.amount += one.amount;
    return group.index;
  });
  const holds = groups.map(
    ({ first: { channel, payment, batch }, amount }): LedgerOperation => ({
      kind: "hold",
      key: `voucher:${channel.id}:${payment.maxClaimableAmount}`,
      debit: channelAccount(channel),
      credit: payeeAccount(runId, channel.receiver),
      unit: channel.unit,
      amount,
      reference: `batch:${batch.id}`,
    }),
  );
  return { holds, holdOf };
}
