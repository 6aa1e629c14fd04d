import type { LedgerHead } from "#offchain/features/ledger/rules/head.ts";
import { addressOf, bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { HeadsToSign } from "./rules.ts";

/** The heads that were signed under an epoch. */
export interface SignedHeads extends HeadsToSign {
  signedBy: `0x${string}`;
  signature: `0x${string}`;
}

/** What is known of an epoch: what was signed here, and what the chain says; one of them at least. */
export interface StoredAnchor {
  epoch: bigint;
  signed: SignedHeads | null;
  anchored: { root: `0x${string}`; at: number; transactionHash: `0x${string}` } | null;
}

interface Row {
  epoch: bigint;
  heads: LedgerHead[] | null;
  root: Uint8Array | null;
  taken_at: bigint | null;
  signed_by: Uint8Array | null;
  signature: Uint8Array | null;
  anchored_root: Uint8Array | null;
  anchored_at: bigint | null;
  transaction_hash: Uint8Array | null;
}

/** When the chain run began to be followed, epoch ms. */
export async function runStartedAt(sql: Sql, runId: bigint): Promise<number> {
  const [run] = await sql<{ started_at: bigint }[]>`SELECT started_at FROM chain_run WHERE id = ${runId}`;
  return Number(run?.started_at ?? 0n);
}

/** Newest first. `before` is the epoch of the last one already seen. */
export async function listAnchors(
  sql: Sql,
  runId: bigint,
  { before, limit }: { before?: bigint | undefined; limit: number },
): Promise<StoredAnchor[]> {
  const rows = await sql<Row[]>`
    SELECT * FROM ledger_anchor WHERE run_id = ${runId} ${before === undefined ? sql`` : sql`AND epoch < ${before}`}
    ORDER BY epoch DESC LIMIT ${limit}`;
  return rows.map(anchorOf);
}

/** Stores what was signed, unless the epoch is known already. @returns whether it was stored */
export async function saveSigned(sql: Sql, runId: bigint, signed: SignedHeads): Promise<boolean> {
  const { epoch, heads, root, takenAt, signedBy, signature } = signed;
  const { count } = await sql`
    INSERT INTO ledger_anchor (run_id, epoch, heads, root, taken_at, signed_by, signature)
    VALUES (${runId}, ${epoch}, ${JSON.stringify(heads)}::jsonb, ${bytesOf(root)}, ${takenAt}, ${bytesOf(signedBy)},
            ${bytesOf(signature)})
    ON CONFLICT DO NOTHING`;
  return count > 0;
}

/** The chain has anchored a root: the one that was signed here, or another. */
export async function noteAnchored(
  tx: Tx,
  runId: bigint,
  epoch: bigint,
  { root, at, transactionHash }: NonNullable<StoredAnchor["anchored"]>,
): Promise<void> {
  await tx`
    INSERT INTO ledger_anchor (run_id, epoch, anchored_root, anchored_at, transaction_hash)
    VALUES (${runId}, ${epoch}, ${bytesOf(root)}, ${at}, ${bytesOf(transactionHash)})
    ON CONFLICT (run_id, epoch) DO UPDATE SET anchored_root = excluded.anchored_root,
      anchored_at = excluded.anchored_at, transaction_hash = excluded.transaction_hash`;
}

/** A reorganisation dropped it: what was signed here waits again. */
export async function dropAnchored(tx: Tx, runId: bigint, epoch: bigint): Promise<void> {
  await tx`DELETE FROM ledger_anchor WHERE run_id = ${runId} AND epoch = ${epoch} AND root IS NULL`;
  await tx`
    UPDATE ledger_anchor SET anchored_root = NULL, anchored_at = NULL, transaction_hash = NULL
    WHERE run_id = ${runId} AND epoch = ${epoch}`;
}

/** Epochs under which the chain has, since then, another root than was signed here, or one that nobody signed here; the newest ones. */
export async function foreignEpochs(
  sql: Sql,
  runId: bigint,
  since: number,
  limit: number,
): Promise<bigint[]> {
  const rows = await sql<{ epoch: bigint }[]>`
    SELECT epoch FROM ledger_anchor WHERE run_id = ${runId} AND anchored_root IS NOT NULL
      AND root IS DISTINCT FROM anchored_root AND anchored_at >= ${since} ORDER BY epoch DESC LIMIT ${limit}`;
  return rows.map(({ epoch }) => epoch);
}

/** Every anchor that this database has signed, of all chain runs, oldest first. */
export async function everySigned(
  sql: Sql,
): Promise<(SignedHeads & { chainId: number; isCurrent: boolean })[]> {
  const rows = await sql<(Row & { chain_id: number; is_current: boolean })[]>`
    SELECT a.*, r.chain_id, r.ended_at IS NULL AS is_current FROM ledger_anchor a JOIN chain_run r ON r.id = a.run_id
    WHERE a.root IS NOT NULL ORDER BY a.run_id, a.epoch`;
  return rows.flatMap((row) => {
    const { signed } = anchorOf(row);
    return signed ? [{ ...signed, chainId: Number(row.chain_id), isCurrent: row.is_current }] : [];
  });
}

function anchorOf(row: Row): StoredAnchor {
  const { epoch, heads, root, taken_at, signed_by, signature, anchored_root, anchored_at, transaction_hash } =
    row;
  return {
    epoch,
    signed: heads &&
      root &&
      signed_by &&
      signature && {
        epoch,
        heads,
        root: hexOf(root),
        takenAt: Number(taken_at),
        signedBy: addressOf(signed_by),
        signature: hexOf(signature),
      },
    anchored: anchored_root &&
      transaction_hash && {
        root: hexOf(anchored_root),
        at: Number(anchored_at),
        transactionHash: hexOf(transaction_hash),
      },
  };
}
