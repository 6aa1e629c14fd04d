import type { SumNode } from "#offchain/core/sumTree.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { lockNumbers } from "#offchain/platform/database/lockNumbers.ts";
import { type Obligation, obligationKinds } from "./rules/proof.ts";
import { siblingsOf } from "./rules/tree.ts";
import type { SolvencyReport } from "./service.ts";

/** The newest block that is indexed of a chain run that goes on; null before its first. */
export async function indexedHead(
  tx: Tx,
  runId: bigint,
): Promise<{ blockNumber: bigint; blockHash: `0x${string}` } | null> {
  const [head] = await tx<{ indexed_to: bigint; indexed_hash: Uint8Array | null }[]>`
    SELECT indexed_to, indexed_hash FROM chain_run WHERE id = ${runId} AND ended_at IS NULL`;
  return head?.indexed_hash ? { blockNumber: head.indexed_to, blockHash: hexOf(head.indexed_hash) } : null;
}

/** The number of the newest block that is indexed of a chain run. */
export async function indexedTo(tx: Tx, runId: bigint): Promise<bigint> {
  const [head] = await tx<{ indexed_to: bigint }[]>`SELECT indexed_to FROM chain_run WHERE id = ${runId}`;
  return head?.indexed_to ?? 0n;
}

/** A token's side of a snapshot, ready to be stored. */
export interface TokenSnapshot {
  unit: UnitCode;
  token: `0x${string}`;
  parts: Obligation;
  obligations: bigint;
  holdings: bigint;
  holders: { name: string; address: `0x${string}`; amount: bigint }[];
  levels: readonly (readonly SumNode[])[];
  leaves: { owner: string; salt: Uint8Array; parts: Obligation; position: number }[];
}

export interface SnapshotFacts {
  snapshotId: bigint;
  chainId: number;
  runId: bigint;
  blockNumber: bigint;
  blockHash: `0x${string}`;
  takenAt: number;
}

/** A root, and the operator's signature over it. */
export interface Seal {
  root: `0x${string}`;
  signed: { by: `0x${string}`; signature: `0x${string}` };
}

/** Seals a tree with what only the database knows: the snapshot's number, and the root before it. */
export type SealOf = (
  snapshot: SnapshotFacts,
  token: TokenSnapshot,
  previous: `0x${string}`,
) => Promise<Seal>;

/**
 * Stores a snapshot with its trees. One at a time, so that each root continues the one before it: what `sealOf` signs
 * names that root and the snapshot's number, which nobody knows before this transaction has the lock. Two that signed
 * first and stored after could sign two different roots over one `previous`, which is the evidence of a fraud.
 */
export async function saveSnapshot(
  sql: Sql,
  facts: Omit<SnapshotFacts, "snapshotId">,
  tokens: readonly TokenSnapshot[],
  sealOf: SealOf,
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(${lockNumbers.solvency})`;
    const [row] = await tx<{ id: bigint }[]>`
      INSERT INTO solvency_snapshot (run_id, block_number, block_hash, taken_at)
      VALUES (${facts.runId}, ${facts.blockNumber}, ${bytesOf(facts.blockHash)}, ${facts.takenAt}) RETURNING id`;
    if (!row) throw new Error("insert into solvency_snapshot returned nothing");
    for (const token of tokens) {
      const [last] = await tx<{ root: Uint8Array }[]>`
        SELECT root FROM solvency_report WHERE chain_id = ${facts.chainId} AND unit = ${token.unit} ORDER BY snapshot_id DESC LIMIT 1`;
      const previous = last ? hexOf(last.root) : (`0x${"00".repeat(32)}` as const);
      const seal = await sealOf({ ...facts, snapshotId: row.id }, token, previous);
      await saveToken(tx, { chainId: facts.chainId, snapshotId: row.id }, token, seal, previous);
    }
  });
}

async function saveToken(
  tx: Tx,
  { chainId, snapshotId }: Pick<SnapshotFacts, "chainId" | "snapshotId">,
  { unit, token, parts, obligations, holdings, holders, levels, leaves }: TokenSnapshot,
  { root, signed }: Seal,
  previous: `0x${string}`,
): Promise<void> {
  const written = holders.map((holder) => ({ ...holder, amount: holder.amount.toString() }));
  await tx`
    INSERT INTO solvency_report (snapshot_id, chain_id, unit, token, parts, obligations, holdings, holders, depth, top, root, previous,
                                 signed_by, signature)
    VALUES (${snapshotId}, ${chainId}, ${unit}, ${bytesOf(token)}, ${partsText(parts)}::text::numeric[], ${obligations.toString()}::numeric,
            ${holdings.toString()}::numeric, ${tx.json(written)}, ${levels.length - 1}, ${topOf(levels)}, ${bytesOf(root)}, ${bytesOf(previous)},
            ${bytesOf(signed.by)}, ${bytesOf(signed.signature)})`;
  for (let from = 0; from < leaves.length; from += leavesAtOnce)
    await saveLeaves(tx, { snapshotId, unit }, leaves.slice(from, from + leavesAtOnce));
  for (const [level, nodes] of levels.entries())
    await tx`
      INSERT INTO solvency_level (snapshot_id, unit, level, nodes)
      VALUES (${snapshotId}::bigint, ${unit}, ${level}, ${packed(nodes)})`;
}

/** Between one statement and the next everything else of the process has its turn. */
const leavesAtOnce = 2_000;

async function saveLeaves(
  tx: Tx,
  { snapshotId, unit }: { snapshotId: bigint; unit: UnitCode },
  leaves: TokenSnapshot["leaves"],
): Promise<void> {
  await tx`
    INSERT INTO solvency_leaf (snapshot_id, unit, owner, salt, parts, position)
    SELECT ${snapshotId}::bigint, ${unit}, owner, salt, parts::numeric[], position
    FROM unnest(${leaves.map(({ owner }) => owner)}::text[], ${list(leaves.map(({ salt }) => salt))}::text[]::bytea[],
                ${leaves.map((leaf) => partsText(leaf.parts))}::text[], ${leaves.map(({ position }) => position)}::int[])
      AS l(owner, salt, parts, position)`;
}

const partsText = (parts: Obligation): string => `{${obligationKinds.map((kind) => parts[kind]).join(",")}}`;

const topOf = (levels: TokenSnapshot["levels"]): Buffer => Buffer.from(levels.at(-1)?.[0]?.hash ?? []);

const nodeBytes = 48;

function packed(nodes: readonly SumNode[]): Buffer {
  const bytes = Buffer.alloc(nodes.length * nodeBytes);
  for (const [at, { hash, sum }] of nodes.entries()) {
    bytes.set(hash, at * nodeBytes);
    bytes.writeBigUInt64BE(sum >> 64n, at * nodeBytes + 32);
    bytes.writeBigUInt64BE(sum & 0xffffffffffffffffn, at * nodeBytes + 40);
  }
  return bytes;
}

/** A stored snapshot's token. */
export interface TokenReport extends Omit<TokenSnapshot, "levels" | "leaves"> {
  depth: number;
  top: `0x${string}` | null;
  root: `0x${string}`;
  previous: `0x${string}`;
  /** Null for one that was told before roots were signed. */
  signed: Seal["signed"] | null;
}

export interface StoredSnapshot extends SnapshotFacts {
  status: SolvencyReport["status"];
  /** No reorganisation reaches the block any more, and nobody has asked yet whether it is still the chain's. */
  isUnasked: boolean;
  tokens: TokenReport[];
}

interface SnapshotRow {
  id: bigint;
  chain_id: bigint;
  run_id: bigint;
  block_number: bigint;
  block_hash: Uint8Array;
  taken_at: bigint;
  is_confirmed: boolean | null;
  /** Its chain is gone. */
  is_over: boolean;
  /** Its block is not the chain's, by what is indexed. */
  is_lost: boolean;
}

interface ReportRow {
  unit: UnitCode;
  token: Uint8Array;
  parts: readonly bigint[];
  obligations: bigint;
  holdings: bigint;
  holders: { name: string; address: `0x${string}`; amount: string }[];
  depth: number;
  top: Uint8Array | null;
  root: Uint8Array;
  previous: Uint8Array;
  signed_by: Uint8Array | null;
  signature: Uint8Array | null;
}

const selectSnapshots = (sql: Sql) => sql`
  SELECT s.*, r.chain_id, r.ended_at IS NOT NULL AS is_over, s.block_number > r.indexed_to OR EXISTS (
    SELECT FROM chain_block b WHERE b.run_id = s.run_id AND b.number = s.block_number
      AND b.retracted_as IS NULL AND b.hash <> s.block_hash
  ) AS is_lost
  FROM solvency_snapshot s JOIN chain_run r ON r.id = s.run_id`;

/** A snapshot of the chain, by default the newest; null when there is none. @param finalTo up to this block no reorganisation is expected. */
export async function findSnapshot(
  sql: Sql,
  chainId: number,
  finalTo: bigint,
  snapshotId?: bigint,
): Promise<StoredSnapshot | null> {
  const rows = await sql<SnapshotRow[]>`
    ${selectSnapshots(sql)} WHERE r.chain_id = ${chainId} ${snapshotId === undefined ? sql`` : sql`AND s.id = ${snapshotId}`}
    ORDER BY s.id DESC LIMIT 1`;
  return (await withReports(sql, finalTo, rows))[0] ?? null;
}

/** Newest first; `before` is the last snapshot already seen. */
export async function listSnapshots(
  sql: Sql,
  chainId: number,
  finalTo: bigint,
  before: bigint | undefined,
  limit: number,
): Promise<StoredSnapshot[]> {
  const rows = await sql<SnapshotRow[]>`
    ${selectSnapshots(sql)} WHERE r.chain_id = ${chainId} ${before === undefined ? sql`` : sql`AND s.id < ${before}`}
    ORDER BY s.id DESC LIMIT ${limit}`;
  return withReports(sql, finalTo, rows);
}

async function withReports(
  sql: Sql,
  finalTo: bigint,
  rows: readonly SnapshotRow[],
): Promise<StoredSnapshot[]> {
  const reports = await sql<(ReportRow & { snapshot_id: bigint })[]>`
    SELECT * FROM solvency_report WHERE snapshot_id = ANY(${list(rows.map(({ id }) => id))}::bigint[]) ORDER BY unit`;
  return rows.map((row) => ({
    snapshotId: row.id,
    chainId: Number(row.chain_id),
    runId: row.run_id,
    blockNumber: row.block_number,
    blockHash: hexOf(row.block_hash),
    takenAt: Number(row.taken_at),
    status: statusOf(row),
    isUnasked: row.is_confirmed === null && !row.is_over && !row.is_lost && row.block_number <= finalTo,
    tokens: reports.filter(({ snapshot_id }) => snapshot_id === row.id).map(tokenReport),
  }));
}

function statusOf({ is_confirmed, is_over, is_lost }: SnapshotRow): StoredSnapshot["status"] {
  if (is_over) return "retracted";
  if (is_confirmed !== null) return is_confirmed ? "confirmed" : "retracted";
  return is_lost ? "retracted" : "pending";
}

const tokenReport = ({ unit, obligations, holdings, depth, ...row }: ReportRow): TokenReport => ({
  unit,
  obligations,
  holdings,
  depth,
  token: addressOf(row.token),
  parts: partsOf(row.parts),
  holders: row.holders.map((holder) => ({ ...holder, amount: BigInt(holder.amount) })),
  top: row.top && hexOf(row.top),
  root: hexOf(row.root),
  previous: hexOf(row.previous),
  signed: row.signed_by && row.signature && { by: addressOf(row.signed_by), signature: hexOf(row.signature) },
});

/** Keeps what the chain said about the snapshot's block, now that it says so for good. */
export async function noteConfirmed(sql: Sql, snapshotId: bigint, isConfirmed: boolean): Promise<void> {
  await sql`UPDATE solvency_snapshot SET is_confirmed = ${isConfirmed} WHERE id = ${snapshotId} AND is_confirmed IS NULL`;
}

const partsOf = (amounts: readonly bigint[]): Obligation =>
  Object.fromEntries(
    obligationKinds.map((kind, at) => [kind, BigInt(amounts[at] ?? 0n)]),
  ) as unknown as Obligation;

export interface StoredLeaf {
  salt: `0x${string}`;
  parts: Obligation;
  position: number;
  /** The neighbours on the way to the root, from the leaf up. */
  path: { hash: `0x${string}`; sum: bigint }[];
}

/** `forgotten`: the snapshot's tree is not kept any more. Null: the owner has no leaf in it. */
export async function findLeaf(
  sql: Sql,
  snapshotId: bigint,
  { unit, depth }: Pick<TokenReport, "unit" | "depth">,
  owner: string,
): Promise<StoredLeaf | "forgotten" | null> {
  const [kept] = await sql`
    SELECT FROM solvency_level WHERE snapshot_id = ${snapshotId} AND unit = ${unit} LIMIT 1`;
  if (!kept) return "forgotten";
  const [leaf] = await sql<{ salt: Uint8Array; parts: readonly bigint[]; position: number }[]>`
    SELECT salt, parts, position FROM solvency_leaf
    WHERE snapshot_id = ${snapshotId} AND unit = ${unit} AND owner = ${owner}`;
  if (!leaf) return null;
  const siblings = siblingsOf(leaf.position, depth);
  const nodes = await sql<{ node: Uint8Array }[]>`
    SELECT substr(l.nodes, s.position * ${nodeBytes}::int + 1, ${nodeBytes}::int) AS node
    FROM unnest(${siblings.map(({ level }) => level)}::int[], ${siblings.map(({ position }) => position)}::int[])
      AS s(level, position)
    JOIN solvency_level l ON l.snapshot_id = ${snapshotId} AND l.unit = ${unit} AND l.level = s.level
    ORDER BY s.level`;
  if (nodes.length !== depth) return "forgotten";
  return {
    salt: hexOf(leaf.salt),
    parts: partsOf(leaf.parts),
    position: leaf.position,
    path: nodes.map(({ node }) => ({
      hash: hexOf(node.subarray(0, 32)),
      sum: BigInt(hexOf(node.subarray(32))),
    })),
  };
}

/** Forgets the chain's trees of snapshots taken before that time, except the newest's; their roots and sums stay. */
export async function forgetTrees(sql: Sql, chainId: number, before: number): Promise<number> {
  return sql.begin(async (tx) => {
    const old = tx`(
      SELECT s.id FROM solvency_snapshot s JOIN chain_run r ON r.id = s.run_id
      WHERE r.chain_id = ${chainId} AND s.taken_at < ${before} AND s.id <> (
        SELECT max(n.id) FROM solvency_snapshot n JOIN chain_run r ON r.id = n.run_id WHERE r.chain_id = ${chainId}))`;
    const { count } = await tx`DELETE FROM solvency_level WHERE snapshot_id IN ${old}`;
    await tx`DELETE FROM solvency_leaf WHERE snapshot_id IN ${old}`;
    return count;
  });
}
