import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { EventPlace } from "../service.ts";

/** What a payout event moved in the books; base units, above zero. */
export async function savePayout(
  tx: Tx,
  runId: bigint,
  { blockHash, logIndex }: EventPlace,
  amount: bigint,
): Promise<void> {
  await tx`
    INSERT INTO channel_payout (run_id, block_hash, log_index, amount)
    VALUES (${runId}, ${bytesOf(blockHash)}, ${logIndex}, ${amount.toString()}::numeric)`;
}

/** Forgets a payout event. @returns what it moved; 0 when it moved nothing */
export async function removePayout(
  tx: Tx,
  runId: bigint,
  { blockHash, logIndex }: EventPlace,
): Promise<bigint> {
  const [row] = await tx<{ amount: bigint }[]>`
    DELETE FROM channel_payout
    WHERE run_id = ${runId} AND block_hash = ${bytesOf(blockHash)} AND log_index = ${logIndex} RETURNING amount`;
  return row?.amount ?? 0n;
}
