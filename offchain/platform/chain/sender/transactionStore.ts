import { checksumAddress, concat, type Hash, type Hex, keccak256, numberToHex } from "viem";
import { BursarError, type ErrorCode, type ErrorFacts } from "#offchain/core/error.ts";
import { bytesOf, hexOf } from "../../database/bytes.ts";
import type { Sql, Tx } from "../../database/database.ts";
import type { SentTransaction, TransactionRequest, TransactionState } from "../port.ts";
import { currentRunOf } from "../runStore.ts";
import { freeFailedKey } from "./keyStore.ts";

/** What is kept of an error: enough to throw it again. */
export interface StoredError {
  code: ErrorCode;
  message: string;
  facts: ErrorFacts;
}

/** A transaction with all that its sender needs. */
export interface QueuedTransaction extends SentTransaction {
  runId: bigint;
  isRelayed: boolean;
  isIndependent: boolean;
  gasMax: bigint | null;
  value: bigint;
  data: Hex;
  blockHash: Hash | null;
  error: StoredError | null;
}

/** One signed version of a transaction. */
export interface Attempt {
  hash: Hash;
  nonce: number;
  raw: Hex;
  gas: bigint;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
  signedAt: number;
  sentAt: number | null;
}

/** What a receipt says. */
export interface Mined {
  hash: Hash;
  success: boolean;
  blockNumber: bigint;
  blockHash: Hash;
  gasUsed: bigint;
  gasPrice: bigint;
  error: StoredError | null;
}

/** The channel on which a new request is announced; the payload is the sender's address. */
export const transactionChannel = "chain_transaction";

interface TransactionRow {
  id: bigint;
  run_id: bigint;
  sender: Uint8Array;
  key: string;
  request_hash: Uint8Array;
  target: Uint8Array;
  value: bigint;
  data: Uint8Array;
  purpose: string;
  state: TransactionState;
  nonce: bigint | null;
  hash: Uint8Array | null;
  success: boolean | null;
  block_number: bigint | null;
  block_hash: Uint8Array | null;
  gas_used: bigint | null;
  gas_price: bigint | null;
  final: boolean;
  is_relayed: boolean;
  is_independent: boolean;
  gas_max: bigint | null;
  error: StoredError | null;
  created_at: bigint;
  updated_at: bigint;
}

/**
 * Stores a request in the current chain run and announces it when the transaction commits. One that `isOnce` takes the place
 * of its failed predecessor.
 * @param sender `maxRelayed`: how many requests of callers may wait to be sent
 * @throws BursarError IDEMPOTENCY_CONFLICT, CHAIN_UNAVAILABLE, OVERLOADED
 */
export async function enqueueTransaction(
  tx: Sql | Tx,
  sender: { chainId: number; address: Hex; maxRelayed?: number },
  request: TransactionRequest,
  now: number,
): Promise<bigint> {
  const value = request.value ?? 0n;
  const requestHash = bytesOf(
    keccak256(concat([request.to, numberToHex(value, { size: 32 }), request.content ?? request.data])),
  );
  if (request.isOnce) await freeFailedKey(tx, sender, request, now);
  const [inserted] = await tx<{ id: bigint }[]>`
    WITH inserted AS (
      INSERT INTO chain_transaction
        (run_id, chain_id, sender, key, request_hash, target, value, data, purpose, is_relayed, is_independent, gas_max,
         state, created_at, updated_at)
      SELECT id, chain_id, ${bytesOf(sender.address)}, ${request.key}, ${requestHash}, ${bytesOf(request.to)},
             ${value.toString()}, ${bytesOf(request.data)}, ${request.purpose}, ${request.isRelayed ?? false},
             ${request.isIndependent ?? false}, ${request.gasMax ?? null},
             'prepared', ${now}, ${now}
      FROM chain_run WHERE chain_id = ${sender.chainId} AND ended_at IS NULL
      ON CONFLICT (run_id, sender, key) DO NOTHING
      RETURNING id
    )
    SELECT id, pg_notify(${transactionChannel}, ${sender.address.toLowerCase()}) FROM inserted`;
  if (inserted) {
    if (request.isRelayed) await assertRoom(tx, sender);
    return inserted.id;
  }

  const [existing] = await tx<{ id: bigint; request_hash: Uint8Array }[]>`
    SELECT t.id, request_hash FROM chain_transaction t JOIN chain_run r ON r.id = t.run_id
    WHERE r.chain_id = ${sender.chainId} AND ended_at IS NULL AND sender = ${bytesOf(sender.address)} AND key = ${request.key}`;
  if (!existing)
    throw new BursarError("CHAIN_UNAVAILABLE", `chain ${sender.chainId} has not been met yet`, {
      facts: { chainId: sender.chainId },
    });
  if (hexOf(existing.request_hash) !== hexOf(requestHash))
    throw new BursarError("IDEMPOTENCY_CONFLICT", `the key ${request.key} was used for another transaction`, {
      facts: { key: request.key, id: existing.id },
    });
  return existing.id;
}

/** The caller's transaction falls when there is none. Those that commit at the same time do not see each other. */
async function assertRoom(
  tx: Sql | Tx,
  sender: { chainId: number; address: Hex; maxRelayed?: number },
): Promise<void> {
  const { chainId, address, maxRelayed } = sender;
  if (maxRelayed === undefined) return;
  const [waiting] = await tx<{ count: number }[]>`
    SELECT count(*)::int FROM chain_transaction
    WHERE run_id = ${currentRunOf(tx, chainId)}
      AND sender = ${bytesOf(address)} AND NOT final AND state = 'prepared' AND is_relayed`;
  if (waiting && waiting.count > maxRelayed)
    throw new BursarError("OVERLOADED", `${maxRelayed} transactions wait to be sent already`, {
      facts: { limit: maxRelayed },
    });
}

export async function findTransaction(sql: Sql, id: bigint): Promise<QueuedTransaction | null> {
  const [row] = await sql<TransactionRow[]>`SELECT * FROM chain_transaction WHERE id = ${id}`;
  return row ? toTransaction(row) : null;
}

/**
 * What is not in a block yet: what is in flight, the service's own, of these the independent ones last, then callers'
 * requests, each oldest first.
 */
export async function unminedTransactions(
  sql: Sql,
  runId: bigint,
  sender: Hex,
  limit: number,
): Promise<QueuedTransaction[]> {
  const rows = await sql<TransactionRow[]>`
    SELECT * FROM chain_transaction
    WHERE run_id = ${runId} AND sender = ${bytesOf(sender)} AND NOT final AND state <> 'mined'
    ORDER BY state = 'prepared', is_relayed, is_independent, id LIMIT ${limit}`;
  return rows.map(toTransaction);
}

/** What is in a block that a reorg may still drop, oldest first. */
export async function minedTransactions(
  sql: Sql,
  runId: bigint,
  sender: Hex,
  limit: number,
): Promise<QueuedTransaction[]> {
  const rows = await sql<TransactionRow[]>`
    SELECT * FROM chain_transaction
    WHERE run_id = ${runId} AND sender = ${bytesOf(sender)} AND NOT final AND state = 'mined'
    ORDER BY id LIMIT ${limit}`;
  return rows.map(toTransaction);
}

/** Whether a transaction `t` will never take effect: it was not sent, reverted for good, or went with its chain. */
export const failedForGood = (sql: Sql | Tx) => sql`
  (t.state IN ('failed', 'run_lost') OR (t.state = 'mined' AND t.success = false AND t.final))`;

/** The signed versions of a transaction, newest first. */
export async function attemptsOf(sql: Sql, id: bigint): Promise<Attempt[]> {
  const rows = await sql<
    {
      hash: Uint8Array;
      nonce: bigint;
      raw: Uint8Array;
      gas: bigint;
      max_fee_per_gas: bigint;
      max_priority_fee_per_gas: bigint;
      signed_at: bigint;
      sent_at: bigint | null;
    }[]
  >`SELECT * FROM chain_attempt WHERE transaction_id = ${id} ORDER BY max_fee_per_gas DESC, signed_at DESC`;
  return rows.map((row) => ({
    hash: hexOf(row.hash),
    nonce: Number(row.nonce),
    raw: hexOf(row.raw),
    gas: BigInt(row.gas),
    maxFeePerGas: BigInt(row.max_fee_per_gas),
    maxPriorityFeePerGas: BigInt(row.max_priority_fee_per_gas),
    signedAt: Number(row.signed_at),
    sentAt: row.sent_at === null ? null : Number(row.sent_at),
  }));
}

/**
 * Gives out the next nonce and stores what `sign` makes of it, before anyone may broadcast it. Holds the sender's row,
 * so that two instances with one key never sign the same nonce.
 * @returns null if the transaction is not `prepared` any more
 */
export async function signNext(
  sql: Sql,
  transaction: QueuedTransaction,
  chain: { chainId: number; nextNonce: number },
  sign: (nonce: number) => Promise<Attempt>,
  now: number,
): Promise<Attempt | null> {
  return sql.begin(async (tx) => {
    const sender = bytesOf(transaction.sender);
    await tx`INSERT INTO chain_sender (chain_id, address) VALUES (${chain.chainId}, ${sender}) ON CONFLICT DO NOTHING`;
    await tx`SELECT 1 FROM chain_sender WHERE chain_id = ${chain.chainId} AND address = ${sender} FOR UPDATE`;
    const [state] = await tx`
      SELECT 1 FROM chain_transaction WHERE id = ${transaction.id} AND state = 'prepared' FOR UPDATE`;
    if (!state) return null;
    const [used] = await tx<{ nonce: bigint | null }[]>`
      SELECT max(nonce) AS nonce FROM chain_transaction
      WHERE run_id = ${transaction.runId} AND sender = ${sender} AND NOT final AND state <> 'prepared'`;
    const nonce = Math.max(chain.nextNonce, Number(used?.nonce ?? -1n) + 1);
    const attempt = await sign(nonce);
    await insertAttempt(tx, transaction.id, attempt);
    await tx`
      UPDATE chain_transaction SET state = 'signed', nonce = ${nonce}, error = NULL, updated_at = ${now}
      WHERE id = ${transaction.id}`;
    return attempt;
  });
}

/**
 * Stores a dearer version of a transaction under the same nonce.
 * @returns null if another instance did so first, or the transaction is not in flight any more
 */
export async function signAgain(
  sql: Sql,
  transaction: QueuedTransaction,
  previous: Attempt,
  attempt: Attempt,
): Promise<Attempt | null> {
  return sql.begin(async (tx) => {
    const [row] = await tx`
      SELECT 1 FROM chain_transaction
      WHERE id = ${transaction.id} AND state IN ('signed', 'sent') AND nonce = ${previous.nonce} FOR UPDATE`;
    const [dearer] = await tx`
      SELECT 1 FROM chain_attempt
      WHERE transaction_id = ${transaction.id} AND nonce = ${previous.nonce}
        AND max_fee_per_gas > ${previous.maxFeePerGas.toString()}`;
    if (!row || dearer) return null;
    await insertAttempt(tx, transaction.id, attempt);
    return attempt;
  });
}

async function insertAttempt(tx: Tx, id: bigint, attempt: Attempt): Promise<void> {
  await tx`
    INSERT INTO chain_attempt
      (hash, transaction_id, nonce, raw, gas, max_fee_per_gas, max_priority_fee_per_gas, signed_at)
    VALUES (${bytesOf(attempt.hash)}, ${id}, ${attempt.nonce}, ${bytesOf(attempt.raw)}, ${attempt.gas.toString()},
            ${attempt.maxFeePerGas.toString()}, ${attempt.maxPriorityFeePerGas.toString()}, ${attempt.signedAt})`;
}

/** The attempt was handed to the provider, or at least may have been. */
export async function markSent(sql: Sql, id: bigint, hash: Hash, now: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`UPDATE chain_attempt SET sent_at = ${now} WHERE hash = ${bytesOf(hash)}`;
    await tx`
      UPDATE chain_transaction SET state = 'sent', updated_at = ${now}
      WHERE id = ${id} AND state IN ('signed', 'sent', 'replaced')`;
  });
}

/** @returns whether it was not final yet, so that this call made it what it is */
export async function markMined(
  sql: Sql,
  id: bigint,
  mined: Mined,
  final: boolean,
  now: number,
): Promise<boolean> {
  const { count } = await sql`
    UPDATE chain_transaction
    SET state = 'mined', hash = ${bytesOf(mined.hash)}, success = ${mined.success}, block_number = ${mined.blockNumber},
        block_hash = ${bytesOf(mined.blockHash)}, gas_used = ${mined.gasUsed.toString()},
        gas_price = ${mined.gasPrice.toString()}, final = ${final}, error = ${json(sql, mined.error)}, updated_at = ${now}
    WHERE id = ${id} AND state <> 'run_lost' AND NOT final`;
  return count === 1;
}

/** The simulation reverted, or no node would take it: nothing was sent. */
export async function markFailed(sql: Sql, id: bigint, error: StoredError, now: number): Promise<void> {
  await sql`
    UPDATE chain_transaction SET state = 'failed', final = true, error = ${json(sql, error)}, updated_at = ${now}
    WHERE id = ${id} AND state = 'prepared'`;
}

/** Why nothing happens for the moment. */
export async function noteError(sql: Sql, id: bigint, error: StoredError, now: number): Promise<void> {
  await sql`
    UPDATE chain_transaction SET error = ${json(sql, error)}, updated_at = ${now} WHERE id = ${id} AND NOT final`;
}

/** A foreign transaction took the nonce; noticed at `blockNumber`. */
export async function markReplaced(sql: Sql, id: bigint, blockNumber: bigint, now: number): Promise<void> {
  await sql`
    UPDATE chain_transaction SET state = 'replaced', block_number = ${blockNumber}, updated_at = ${now}
    WHERE id = ${id} AND state IN ('signed', 'sent')`;
}

/** None of the attempts can be mined any more: the call may be signed anew. */
export async function prepareAgain(sql: Sql, id: bigint, now: number): Promise<void> {
  await sql`
    UPDATE chain_transaction SET state = 'prepared', nonce = NULL, block_number = NULL, updated_at = ${now}
    WHERE id = ${id} AND state = 'replaced'`;
}

/** What was not mined on a chain that was restarted never will be. */
export async function loseTransactions(tx: Tx, runId: bigint, now: number): Promise<void> {
  await tx`
    UPDATE chain_transaction
    SET state = CASE WHEN state IN ('mined', 'failed') THEN state ELSE 'run_lost' END, final = true, updated_at = ${now}
    WHERE run_id = ${runId} AND NOT final`;
}

function toTransaction(row: TransactionRow): QueuedTransaction {
  return {
    id: row.id,
    runId: row.run_id,
    isRelayed: row.is_relayed,
    isIndependent: row.is_independent,
    gasMax: row.gas_max,
    key: row.key,
    purpose: row.purpose,
    sender: checksumAddress(hexOf(row.sender)),
    to: checksumAddress(hexOf(row.target)),
    value: BigInt(row.value),
    data: hexOf(row.data),
    state: row.state,
    nonce: row.nonce === null ? null : Number(row.nonce),
    hash: row.hash && hexOf(row.hash),
    success: row.success,
    blockNumber: row.block_number,
    blockHash: row.block_hash && hexOf(row.block_hash),
    gasUsed: row.gas_used === null ? null : BigInt(row.gas_used),
    gasPrice: row.gas_price === null ? null : BigInt(row.gas_price),
    final: row.final,
    error: row.error,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}

/** jsonb holds no bigint: integers become decimal strings. */
function json(sql: Sql, error: StoredError | null) {
  if (error === null) return null;
  const facts = Object.entries(error.facts).map(([name, fact]) => [
    name,
    typeof fact === "bigint" ? fact.toString() : (fact ?? null),
  ]);
  return sql.json({ code: error.code, message: error.message, facts: Object.fromEntries(facts) });
}

/** How many transactions of a chain wait for a block, and when the oldest that was sent came into the queue. */
export async function openTransactions(
  sql: Sql,
  chainId: number,
): Promise<{ open: number; sentSince: number | null }> {
  const [row] = await sql<{ open: number; since: bigint | null }[]>`
    SELECT count(*)::int AS open, min(created_at) FILTER (WHERE state = 'sent') AS since FROM chain_transaction
    WHERE chain_id = ${chainId} AND state IN ('prepared', 'signed', 'sent')`;
  return { open: row?.open ?? 0, sentSince: row?.since == null ? null : Number(row.since) };
}

/** The gas of a run's mined transactions for these purposes, failed ones among them. */
export async function gasUsedFor(sql: Sql, runId: bigint, purposes: readonly string[]): Promise<bigint> {
  const [row] = await sql<{ gas: bigint }[]>`
    SELECT coalesce(sum(gas), 0)::numeric(38,0) AS gas FROM chain_gas
    WHERE run_id = ${runId} AND purpose = ANY(${[...purposes]}::text[])`;
  return row?.gas ?? 0n;
}
