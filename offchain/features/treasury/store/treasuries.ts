import { addressOf, bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";

/** A Treasury that is followed beside the configured one. */
export interface FollowedTreasury {
  readonly address: `0x${string}`;
  readonly origin: "created" | "adopted";
  /** Of its creation. */
  readonly transactionHash: `0x${string}` | null;
  /** Epoch ms. */
  readonly addedAt: number;
}

/** Stores it; one that is there already stays as it is. */
export async function saveTreasury(
  sql: Sql,
  { chainId, runId }: { chainId: number; runId: bigint },
  { address, origin, transactionHash, addedAt }: FollowedTreasury,
): Promise<void> {
  await sql`
    INSERT INTO treasury (chain_id, run_id, address, origin, transaction_hash, added_at)
    VALUES (${chainId}, ${runId}, ${bytesOf(address)}, ${origin},
            ${transactionHash === null ? null : bytesOf(transactionHash)}, ${addedAt})
    ON CONFLICT DO NOTHING`;
}

/** Those of one chain run, the first one first. */
export async function treasuriesOf(sql: Sql, runId: bigint): Promise<FollowedTreasury[]> {
  const rows = await sql<
    {
      address: Uint8Array;
      origin: FollowedTreasury["origin"];
      transaction_hash: Uint8Array | null;
      added_at: bigint;
    }[]
  >`
    SELECT address, origin, transaction_hash, added_at FROM treasury WHERE run_id = ${runId}
    ORDER BY added_at, address`;
  return rows.map((row) => ({
    address: addressOf(row.address),
    origin: row.origin,
    transactionHash: row.transaction_hash ? hexOf(row.transaction_hash) : null,
    addedAt: Number(row.added_at),
  }));
}

/** Every address that was ever followed on a chain, also in runs that have ended. */
export async function watchedTreasuries(sql: Sql, chainId: number): Promise<`0x${string}`[]> {
  const rows = await sql<{ address: Uint8Array }[]>`
    SELECT DISTINCT address FROM treasury WHERE chain_id = ${chainId} ORDER BY address`;
  return rows.map(({ address }) => addressOf(address));
}
