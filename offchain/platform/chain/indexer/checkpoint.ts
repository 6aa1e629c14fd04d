import type { Address, Hash, Hex } from "viem";
import { bytesOf, hexOf } from "../../database/bytes.ts";
import { copyInto } from "../../database/copy.ts";
import type { Sql, Tx } from "../../database/database.ts";
import { lowerWatches } from "./watchStore.ts";

/** One life of a chain, and how far it is indexed. */
export interface ChainRun {
  readonly id: bigint;
  readonly chainId: number;
  readonly genesisHash: Hash;
  readonly fromBlock: number;
  /** `fromBlock − 1` before the first block. */
  readonly indexedTo: number;
  readonly indexedHash: Hash | null;
  /** Last feed position given out. */
  readonly sequence: bigint;
  readonly filterHash: Hash;
}

/** A block as the journal keeps it. */
export interface JournalBlock {
  number: number;
  hash: Hash;
  parentHash: Hash;
  blockAt: number;
}

/** An event as it is stored: undecoded. */
export interface StoredEvent {
  blockNumber: number;
  blockHash: Hash;
  blockAt: number;
  logIndex: number;
  transactionIndex: number;
  transactionHash: Hash;
  address: Address;
  topics: readonly Hex[];
  data: Hex;
}

/** A step of the checkpoint: the blocks to keep, and the events in them, both in the chain's order. */
export interface Advance {
  to: number;
  toHash: Hash;
  blocks: readonly JournalBlock[];
  events: readonly StoredEvent[];
  /** Blocks without events below this number need no journal any more. */
  finalTo: number;
}

/** Another instance moved the checkpoint, or ended the chain run. Read it again. */
export class CheckpointMoved extends Error {
  override readonly name = "CheckpointMoved";
}

interface RunRow {
  id: bigint;
  chain_id: bigint;
  genesis_hash: Uint8Array;
  from_block: bigint;
  indexed_to: bigint;
  indexed_hash: Uint8Array | null;
  sequence: bigint;
  filter_hash: Uint8Array;
}

/** The chain run that a chain is in; null before the first contact. */
export async function currentRun(sql: Sql | Tx, chainId: number): Promise<ChainRun | null> {
  const [row] = await sql<RunRow[]>`SELECT * FROM chain_run WHERE chain_id = ${chainId} AND ended_at IS NULL`;
  return row ? toRun(row) : null;
}

/** Starts a chain run, ending the chain's previous one. */
export async function startRun(
  tx: Tx,
  chainRun: Pick<ChainRun, "chainId" | "genesisHash" | "fromBlock" | "filterHash">,
  now: number,
): Promise<ChainRun> {
  await tx`UPDATE chain_run SET ended_at = ${now} WHERE chain_id = ${chainRun.chainId} AND ended_at IS NULL`;
  const [row] = await tx<RunRow[]>`
    INSERT INTO chain_run (chain_id, genesis_hash, from_block, indexed_to, filter_hash, started_at)
    VALUES (${chainRun.chainId}, ${bytesOf(chainRun.genesisHash)}, ${chainRun.fromBlock}, ${chainRun.fromBlock - 1},
            ${bytesOf(chainRun.filterHash)}, ${now})
    RETURNING *`;
  if (!row) throw new Error("insert into chain_run returned nothing");
  return toRun(row);
}

const blockColumns = ["run_id", "sequence", "number", "hash", "parent_hash", "block_at", "event_count"];
/** Of `chain_event`, in the order in which a row is written. */
export const eventColumns = [
  "run_id",
  "sequence",
  "log_index",
  "transaction_index",
  "transaction_hash",
  "address",
  "topics",
  "data",
];

/**
 * Moves the checkpoint forward, storing what is in between. Locks the chain run until the transaction ends.
 * @throws CheckpointMoved if the stored checkpoint is not the one of `chainRun`
 */
export async function advance(tx: Tx, chainRun: ChainRun, step: Advance): Promise<ChainRun> {
  const sequence = chainRun.sequence + BigInt(step.blocks.length);
  await moveCheckpoint(tx, chainRun, { to: step.to, hash: step.toHash, sequence });
  await insert(tx, chainRun, step);
  await tx`DELETE FROM chain_block WHERE run_id = ${chainRun.id} AND event_count = 0 AND number <= ${step.finalTo}`;
  return { ...chainRun, indexedTo: step.to, indexedHash: step.toHash, sequence };
}

/**
 * Stores events that were not watched when the checkpoint passed them, with their blocks; in the feed they come now.
 * Locks the chain run until the transaction ends. When they join what goes with the checkpoint, a position of the feed is
 * left out: an instance that does not watch them yet must not move the checkpoint over the next ones.
 * @throws CheckpointMoved if the stored checkpoint is not the one of `chainRun`
 */
export async function addLate(
  tx: Tx,
  chainRun: ChainRun,
  late: Pick<Advance, "blocks" | "events"> & { isJoining: boolean },
): Promise<ChainRun> {
  const sequence = chainRun.sequence + BigInt(late.blocks.length) + (late.isJoining ? 1n : 0n);
  await moveCheckpoint(tx, chainRun, { to: chainRun.indexedTo, hash: chainRun.indexedHash, sequence });
  await insert(tx, chainRun, late);
  return { ...chainRun, sequence };
}

/** The blocks take the feed's next positions. */
async function insert(tx: Tx, chainRun: ChainRun, step: Pick<Advance, "blocks" | "events">): Promise<void> {
  const eventCounts = new Map<number, number>();
  for (const { blockNumber } of step.events)
    eventCounts.set(blockNumber, (eventCounts.get(blockNumber) ?? 0) + 1);
  const first = Number(chainRun.sequence) + 1;
  const sequences = new Map(step.blocks.map(({ number }, index) => [number, first + index]));
  const sequenceOf = (block: number) => sequences.get(block) ?? missingBlock(block);
  const runId = Number(chainRun.id);

  await copyInto(tx, "chain_block", blockColumns, step.blocks, (out, block) => {
    out.int8(runId);
    out.int8(sequenceOf(block.number));
    out.int8(block.number);
    out.bytes(block.hash);
    out.bytes(block.parentHash);
    out.int8(block.blockAt);
    out.int4(eventCounts.get(block.number) ?? 0);
  });
  await copyInto(tx, "chain_event", eventColumns, step.events, (out, event) => {
    out.int8(runId);
    out.int8(sequenceOf(event.blockNumber));
    out.int4(event.logIndex);
    out.int4(event.transactionIndex);
    out.bytes(event.transactionHash);
    out.bytes(event.address);
    out.joined(event.topics);
    out.bytes(event.data);
  });
}

/** The journal's live blocks below `before`, newest first: what a reorg is measured against. */
export async function journal(
  sql: Sql,
  runId: bigint,
  before: number,
  limit: number,
): Promise<{ number: number; hash: Hash }[]> {
  const rows = await sql<{ number: bigint; hash: Uint8Array }[]>`
    SELECT number, hash FROM chain_block
    WHERE run_id = ${runId} AND retracted_as IS NULL AND number < ${before}
    ORDER BY number DESC LIMIT ${limit}`;
  return rows.map(({ number, hash }) => ({ number: Number(number), hash: hexOf(hash) }));
}

/**
 * Takes back everything above `ancestor`: the events go to `retract`, newest first; blocks and events stay, marked, for
 * the feed.
 * @throws CheckpointMoved if the stored checkpoint is not the one of `chainRun`
 */
export async function rollback(
  tx: Tx,
  chainRun: ChainRun,
  ancestor: { number: number; hash: Hash | null },
  retract: (events: readonly StoredEvent[]) => Promise<void>,
): Promise<{ chainRun: ChainRun; blocks: number; events: number }> {
  await moveCheckpoint(tx, chainRun, {
    to: ancestor.number,
    hash: ancestor.hash,
    sequence: chainRun.sequence,
  });
  const events = await eventsAbove(tx, chainRun.id, ancestor.number);
  await retract(events);
  const { count: blocks } = await tx`
    UPDATE chain_block SET retracted_as = ${chainRun.sequence} + position
    FROM (
      SELECT sequence AS retracted, row_number() OVER (ORDER BY number DESC) AS position
      FROM chain_block WHERE run_id = ${chainRun.id} AND retracted_as IS NULL AND number > ${ancestor.number}
    ) AS dropped
    WHERE run_id = ${chainRun.id} AND sequence = retracted`;
  const sequence = chainRun.sequence + BigInt(blocks);
  await tx`UPDATE chain_run SET sequence = ${sequence} WHERE id = ${chainRun.id}`;
  await lowerWatches(tx, chainRun.id, ancestor.number);
  return {
    chainRun: { ...chainRun, indexedTo: ancestor.number, indexedHash: ancestor.hash, sequence },
    blocks,
    events: events.length,
  };
}

/** Events above a block, newest first. */
async function eventsAbove(tx: Tx, runId: bigint, above: number): Promise<StoredEvent[]> {
  const rows = await tx<EventRow[]>`
    SELECT number, hash, block_at, log_index, transaction_index, transaction_hash, address, topics, data
    FROM chain_block JOIN chain_event USING (run_id, sequence)
    WHERE run_id = ${runId} AND retracted_as IS NULL AND number > ${above}
    ORDER BY number DESC, log_index DESC`;
  return rows.map(toEvent);
}

async function moveCheckpoint(
  tx: Tx,
  chainRun: ChainRun,
  next: { to: number; hash: Hash | null; sequence: bigint },
): Promise<void> {
  const { count } = await tx`
    UPDATE chain_run
    SET indexed_to = ${next.to}, indexed_hash = ${next.hash && bytesOf(next.hash)}, sequence = ${next.sequence}
    WHERE id = ${chainRun.id} AND ended_at IS NULL AND sequence = ${chainRun.sequence} AND indexed_to = ${chainRun.indexedTo}
      AND indexed_hash IS NOT DISTINCT FROM ${chainRun.indexedHash && bytesOf(chainRun.indexedHash)}`;
  if (count !== 1)
    throw new CheckpointMoved(`chain run ${chainRun.id} is no longer at block ${chainRun.indexedTo}`);
}

/** An event and its block, as the tables have them. */
export interface EventRow {
  number: bigint;
  hash: Uint8Array;
  block_at: bigint;
  log_index: number;
  transaction_index: number;
  transaction_hash: Uint8Array;
  address: Uint8Array;
  topics: Uint8Array;
  data: Uint8Array;
}

/** Reads a row of `chain_event` joined with its block. */
export function toEvent(row: EventRow): StoredEvent {
  const topics = Buffer.from(row.topics).toString("hex");
  return {
    blockNumber: Number(row.number),
    blockHash: hexOf(row.hash),
    blockAt: Number(row.block_at),
    logIndex: row.log_index,
    transactionIndex: row.transaction_index,
    transactionHash: hexOf(row.transaction_hash),
    address: hexOf(row.address),
    topics: (topics.match(/.{64}/g) ?? []).map((topic): Hex => `0x${topic}`),
    data: hexOf(row.data),
  };
}

function toRun(row: RunRow): ChainRun {
  return {
    id: row.id,
    chainId: Number(row.chain_id),
    genesisHash: hexOf(row.genesis_hash),
    fromBlock: Number(row.from_block),
    indexedTo: Number(row.indexed_to),
    indexedHash: row.indexed_hash && hexOf(row.indexed_hash),
    sequence: row.sequence,
    filterHash: hexOf(row.filter_hash),
  };
}

function missingBlock(block: number): never {
  throw new Error(`block ${block} has events but is not among the blocks of its step`);
}
