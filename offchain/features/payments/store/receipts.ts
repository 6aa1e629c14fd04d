import type { UnitCode } from "#offchain/core/unit.ts";
import { runsOf } from "#offchain/platform/chain/runStore.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { EarlierPayment } from "../rules/group.ts";
import { refusalOfPayment } from "./refusals.ts";

/** A stored payment with what its state and receipt follow from. */
export interface StoredPayment extends EarlierPayment {
  payer: `0x${string}`;
  receiver: `0x${string}`;
  payee: `0x${string}` | null;
  /** What its channel has claimed by now. */
  claimed: bigint;
  acceptedAt: number;
  batchId: bigint;
  batchState: "open" | "closed" | "submitted" | "settled" | "lost";
  /** Why the contract, or its payer's code, did not take its voucher, and when. */
  refusal: { reason: string; at: number } | null;
  /** The transaction that claimed it. */
  transactionHash: string | null;
  /** By a cleared channel: what its payee was ever credited after it, the first epoch to contain it, and whose word it was. */
  credit: { cumulative: bigint; epoch: number; office: number } | null;
}

interface PaymentRow {
  id: bigint;
  key: string;
  channel_id: Uint8Array;
  payer: Uint8Array;
  receiver: Uint8Array;
  claimed: bigint;
  unit: UnitCode;
  cumulative: bigint;
  amount: bigint;
  reference: string | null;
  accepted_at: bigint;
  batch_id: bigint;
  batch_state: StoredPayment["batchState"];
  transaction_hash: string | null;
  ticket_id: string | null;
  signature: Uint8Array;
  payee: Uint8Array | null;
  credited: bigint | null;
  refused_for: string | null;
  refused_at: bigint | null;
  epoch: number | null;
  office: number | null;
}

const toPayment = (row: PaymentRow): StoredPayment => ({
  id: row.id,
  key: row.key,
  channelId: hexOf(row.channel_id),
  payer: addressOf(row.payer),
  receiver: addressOf(row.receiver),
  claimed: row.claimed,
  unit: row.unit,
  cumulative: row.cumulative,
  amount: row.amount,
  signature: row.signature,
  ticketId: row.ticket_id,
  reference: row.reference,
  acceptedAt: Number(row.accepted_at),
  batchId: row.batch_id,
  batchState: row.batch_state,
  refusal: row.refused_for === null ? null : { reason: row.refused_for, at: Number(row.refused_at) },
  transactionHash: row.transaction_hash,
  payee: row.payee && addressOf(row.payee),
  credit:
    row.credited === null
      ? null
      : { cumulative: row.credited, epoch: row.epoch ?? 0, office: row.office ?? 0 },
});

/** The columns of {@link PaymentRow}, for `FROM payment p JOIN channel c … JOIN batch b …`. */
const selectPayments = (sql: Sql | Tx) => sql`
  SELECT p.id, p.key, p.cumulative, p.amount, p.reference, p.accepted_at, p.batch_id, p.ticket_id, p.signature,
         p.payee, p.credited, p.epoch, p.office,
         c.channel_id, c.payer, c.receiver, c.claimed, c.unit, b.state AS batch_state,
         r.reason AS refused_for, r.refused_at,
         (SELECT '0x' || encode(k.transaction_hash, 'hex') FROM channel_claim k
          WHERE k.channel = p.channel AND k.before < p.cumulative AND k.after >= p.cumulative LIMIT 1) AS transaction_hash
  FROM payment p JOIN channel c ON c.id = p.channel JOIN batch b ON b.id = p.batch_id
  LEFT JOIN ${refusalOfPayment(sql)} ON true`;

/** A payment on the chain, whichever run of it. */
export async function paymentById(sql: Sql, chainId: number, id: bigint): Promise<StoredPayment | null> {
  const [row] = await sql<PaymentRow[]>`
    ${selectPayments(sql)} WHERE p.id = ${id} AND c.run_id IN ${runsOf(sql, chainId)}`;
  return row ? toPayment(row) : null;
}

/** Payments already booked under any of these keys or cumulative amounts; `channel` is its row's id. */
export async function paymentsLike(
  tx: Sql | Tx,
  wanted: readonly { channel: bigint; key: string; cumulative: bigint }[],
): Promise<StoredPayment[]> {
  const channels = wanted.map(({ channel }) => channel);
  const rows = await tx<PaymentRow[]>`
    WITH wanted AS (
      SELECT * FROM unnest(${list(channels)}::bigint[], ${wanted.map(({ key }) => key)}::text[],
                           ${list(wanted.map(({ cumulative }) => cumulative.toString()))}::numeric[]) AS w(channel, key, cumulative)
    ), found AS (
      SELECT p.id FROM wanted w JOIN payment p ON p.channel = w.channel AND p.key = w.key
      UNION SELECT p.id FROM wanted w JOIN payment p ON p.channel = w.channel AND p.cumulative = w.cumulative
    )
    ${selectPayments(tx)} WHERE p.id IN (SELECT id FROM found)`;
  return rows.map(toPayment);
}

/** Whose payments are listed; `before` is the last row already seen. */
interface PaymentQuery {
  payer?: string | undefined;
  payee?: string | undefined;
  batchId?: bigint | undefined;
  before?: bigint | undefined;
  limit: number;
}

/** The chain's, newest first. */
export async function listPaymentRows(
  sql: Sql,
  chainId: number,
  query: PaymentQuery,
): Promise<StoredPayment[]> {
  const { batchId, payer, payee, before, limit } = query;
  const among =
    batchId === undefined && (payer !== undefined || payee !== undefined)
      ? sql`AND p.id = ANY(ARRAY(${partyPayments(sql, chainId, query)}))`
      : sql``;
  const rows = await sql<PaymentRow[]>`
    ${selectPayments(sql)} WHERE c.run_id IN ${runsOf(sql, chainId)} ${among}
      ${payer ? sql`AND c.payer = ${bytesOf(payer)}` : sql``}
      ${payee ? sql`AND (p.payee = ${bytesOf(payee)} OR (p.payee IS NULL AND c.receiver = ${bytesOf(payee)}))` : sql``}
      ${batchId === undefined ? sql`` : sql`AND p.batch_id = ${batchId}`}
      ${before === undefined ? sql`` : sql`AND p.id < ${before}`}
    ORDER BY p.id DESC LIMIT ${limit}`;
  return rows.map(toPayment);
}

/**
 * The ids of a party's newest payments. They are taken from each of its channels, and for a payee from what cleared
 * channels paid it: among the payments of all there may be none of a party's for a long way.
 */
function partyPayments(sql: Sql, chainId: number, { payer, payee, before, limit }: PaymentQuery) {
  // Said of the id's negative, which the indexes of channels and of payees are ordered by.
  const isEarlier = before === undefined ? sql`` : sql`AND -p.id > ${-before}`;
  const ofPayer = payer ? sql`AND c.payer = ${bytesOf(payer)}` : sql``;
  const directly = payee ? sql`AND c.receiver = ${bytesOf(payee)} AND p.payee IS NULL` : sql``;
  const channels = sql`
    SELECT p.id FROM channel c CROSS JOIN LATERAL (
      SELECT id, payee FROM payment p WHERE p.channel = c.id ${isEarlier} ORDER BY -p.id LIMIT ${limit}) p
    WHERE c.run_id IN ${runsOf(sql, chainId)} AND c.accepted > 0 ${ofPayer} ${directly}`;
  if (!payee) return sql`${channels} ORDER BY id DESC LIMIT ${limit}`;
  return sql`
    (${channels} ORDER BY id DESC LIMIT ${limit}) UNION ALL
    (SELECT p.id FROM payment p JOIN channel c ON c.id = p.channel
     WHERE p.payee = ${bytesOf(payee)} AND c.run_id IN ${runsOf(sql, chainId)} ${ofPayer} ${isEarlier}
     ORDER BY -p.id LIMIT ${limit})`;
}

/** Which payments, on any chain, paid for these work tickets, by ticket id: work is paid once. */
export async function paidTickets(tx: Tx, ids: readonly string[]): Promise<Map<string, bigint>> {
  if (ids.length === 0) return new Map();
  const rows = await tx<{ id: bigint; ticket_id: string }[]>`
    SELECT id, ticket_id FROM payment WHERE ticket_id = ANY(${[...ids]}::text[])`;
  return new Map(rows.map(({ id, ticket_id }) => [ticket_id, id]));
}
