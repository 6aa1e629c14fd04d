import type { EventPlace } from "#offchain/features/payments/service.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";

/**
 * What a payout of Clearing took out of the books, base units: to be taken back if a reorganisation drops it.
 * @param rootNumber the root of which it paid all payees; null: it paid one
 */
export async function savePayout(
  tx: Tx,
  runId: bigint,
  { blockHash, logIndex }: Pick<EventPlace, "blockHash" | "logIndex">,
  { booked, rootNumber }: { booked: bigint; rootNumber: number | null },
): Promise<void> {
  await tx`
    INSERT INTO clearing_payout (run_id, block_hash, log_index, booked, root_number)
    VALUES (${runId}, ${bytesOf(blockHash)}, ${logIndex}, ${booked.toString()}, ${rootNumber})`;
}

/** @returns what the payout had taken out of the books */
export async function removePayout(
  tx: Tx,
  runId: bigint,
  { blockHash, logIndex }: Pick<EventPlace, "blockHash" | "logIndex">,
): Promise<bigint> {
  const [row] = await tx<{ booked: bigint }[]>`
    DELETE FROM clearing_payout
    WHERE run_id = ${runId} AND block_hash = ${bytesOf(blockHash)} AND log_index = ${logIndex}
    RETURNING booked`;
  return row?.booked ?? 0n;
}
