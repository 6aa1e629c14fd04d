import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";

/** What a channel has promised to payments; the lock keeps the intake from accepting more meanwhile. */
export async function lockPromised(
  tx: Tx,
  runId: bigint,
  channelId: string,
): Promise<{ accepted: bigint; claimed: bigint } | null> {
  const [row] = await tx<{ accepted: bigint; claimed: bigint }[]>`
    SELECT accepted, claimed FROM channel WHERE run_id = ${runId} AND channel_id = ${bytesOf(channelId)} FOR UPDATE`;
  return row ?? null;
}
