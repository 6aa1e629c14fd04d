import { concatHex, encodeFunctionData, type Hex, numberToHex } from "viem";
import { batchSettlementAbi } from "#contracts";
import type { Transactions } from "#offchain/actions/chain/port.ts";
import type { BatchLimits } from "#offchain/domain/batch.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import { BursarError } from "#offchain/domain/error.ts";
import type { Log } from "#offchain/observe/log.ts";
import type { Sql } from "#offchain/store/database.ts";
import {
  type BatchVoucher,
  closeDue,
  closeSettlement,
  lockClosedBatch,
  markSubmitted,
  reopenFailed,
  settleClaimed,
  unclaimedVouchers,
} from "#offchain/store/settlements.ts";
import { enqueueTransaction } from "#offchain/store/transaction.ts";

export interface SettleOptions {
  sql: Sql;
  clock: Clock;
  log: Log;
  limits: BatchLimits;
  chainId: number;
  /** The current epoch, or null before the chain is met. */
  epoch: () => bigint | null;
  /** The BatchSettlement contract. */
  settlement: `0x${string}`;
  sender: Transactions;
  /** Told of batches that closed, were submitted or settled. */
  onBatch: (batchId: bigint, state: "closed" | "submitted") => void;
}

/**
 * One pass of settlement: closes the open batch when it is due and hands closed batches to the sender. The batch and
 * its transaction are stored together, and the transaction's key is the batch's, so a kill between any two steps
 * leaves nothing unpaid and nothing paid twice. The indexer marks batches settled when it sees the claims.
 */
export async function settle(options: SettleOptions): Promise<void> {
  const epochId = options.epoch();
  if (epochId === null) return;
  const { sql, clock, log, limits } = options;
  const closed = await closeDue(sql, epochId, limits, clock.now());
  if (closed !== null) options.onBatch(closed, "closed");
  for (const batchId of await reopenFailed(sql, epochId))
    log.warn({ batchId }, "settlement failed; it is tried again");
  await settleClaimed(sql, epochId, clock.now());
  while (await submitNext(options, epochId));
}

/** @returns whether there was a closed batch. */
async function submitNext(options: SettleOptions, epochId: bigint): Promise<boolean> {
  const { sql, clock } = options;
  const submitted = await sql.begin(async (tx) => {
    const batch = await lockClosedBatch(tx, epochId);
    if (!batch) return null;
    const unclaimed = await unclaimedVouchers(tx, batch.id);
    const vouchers = await claimable(options, unclaimed, batch);
    if (vouchers.length === 0) {
      await closeSettlement(tx, batch.id, unclaimed.length === 0 ? "settled" : "lost", clock.now());
      return batch.id;
    }
    const transactionId = await enqueueTransaction(
      tx,
      { chainId: options.chainId, address: options.sender.sender },
      {
        key: `batch:${batch.id}:${batch.attempts}`,
        to: options.settlement,
        data: settlementCall(vouchers),
        purpose: "batch.settle",
      },
      clock.now(),
    );
    await markSubmitted(tx, batch.id, transactionId);
    return batch.id;
  });
  if (submitted === null) return false;
  options.onBatch(submitted, "submitted");
  return true;
}

/** A voucher to claim; `isHeld`: its payee cannot be paid now, so it is claimed without a payout. */
type Claim = BatchVoucher & { isHeld?: boolean };

/**
 * After a failed try, finds what fails by itself. A payee whom the token does not let be paid holds up nobody: it is
 * claimed for it all the same, before its payer may withdraw, and paid out later. What cannot even be claimed is left out.
 */
async function claimable(
  { sender, settlement, log }: SettleOptions,
  vouchers: BatchVoucher[],
  batch: { id: bigint; attempts: number },
): Promise<Claim[]> {
  if (batch.attempts === 0) return vouchers;
  const refusal = async (claim: Claim): Promise<BursarError | null> => {
    try {
      await sender.simulate({ to: settlement, data: settlementCall([claim]) });
      return null;
    } catch (error) {
      if (error instanceof BursarError && error.code === "TRANSACTION_REVERTED") return error;
      throw error;
    }
  };
  const good: Claim[] = [];
  for (const voucher of vouchers) {
    const refused = await refusal(voucher);
    if (refused === null) {
      good.push(voucher);
      continue;
    }
    const about = { batchId: batch.id, channelId: voucher.channelId, facts: refused.facts };
    const held = { ...voucher, isHeld: true };
    if ((await refusal(held)) === null) {
      good.push(held);
      log.warn(about, "payee cannot be paid now: claimed for it, paid out later");
    } else log.error(about, "voucher cannot be claimed");
  }
  return good;
}

/** Claims and pays out a batch in one transaction: one packed claim for each receiver; who is held is not paid out. */
export function settlementCall(vouchers: readonly Claim[]): Hex {
  const groups = Map.groupBy(vouchers, ({ receiver, receiverAuthorizer, token }) =>
    concatHex([receiver, receiverAuthorizer, token]),
  );
  const calls = [...groups].map(([header, rows]) =>
    encodeFunctionData({
      abi: batchSettlementAbi,
      functionName: rows.some(({ isHeld }) => isHeld) ? "claimPacked" : "claimPackedAndSettle",
      args: [
        concatHex([
          header,
          ...rows.flatMap(({ channelId, signature, maxClaimableAmount }) => [
            channelId,
            signature,
            numberToHex(maxClaimableAmount, { size: 12 }),
          ]),
        ]),
      ],
    }),
  );
  const [only] = calls;
  return calls.length === 1 && only
    ? only
    : encodeFunctionData({ abi: batchSettlementAbi, functionName: "multicall", args: [calls] });
}
