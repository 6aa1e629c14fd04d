import { formatAmount } from "#offchain/core/unit.ts";
import { addressOf, bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Receipt } from "../service.ts";
import { channelUnit } from "./channels.ts";

/** What a completed work ticket puts on the receipt of the payment for it. */
export interface TicketFacts {
  ticketId: string;
  /** µATP that the work discharged. */
  atp: bigint;
  energyMillijoules: bigint;
  co2Micrograms: bigint;
  waterMicrolitres: bigint;
  /** Where the emission factor is from. */
  factor: string;
}

/** A payment joined with what its state and receipt follow from. */
export interface PaymentRow {
  id: bigint;
  key: string;
  channel_id: Uint8Array;
  payer: Uint8Array;
  receiver: Uint8Array;
  claimed: bigint;
  cumulative: bigint;
  amount: bigint;
  reference: string | null;
  accepted_at: bigint;
  batch_id: bigint;
  batch_state: "open" | "closed" | "submitted" | "settled" | "lost";
  transaction_hash: string | null;
  ticket_id: string | null;
  signature: Uint8Array;
  /** By a cleared channel: whom it pays, what that payee was ever credited after it, and the first root to contain it. */
  payee: Uint8Array | null;
  credited: bigint | null;
  root_number: number | null;
}

/** The columns of {@link PaymentRow}, for `FROM payment p JOIN channel c … JOIN batch b …`. */
const selectPayments = (sql: Sql | Tx) => sql`
  SELECT p.id, p.key, p.cumulative, p.amount, p.reference, p.accepted_at, p.batch_id, p.ticket_id, p.signature,
         p.payee, p.credited, p.root_number,
         c.channel_id, c.payer, c.receiver, c.claimed, b.state AS batch_state,
         (SELECT '0x' || encode(k.transaction_hash, 'hex') FROM channel_claim k
          WHERE k.channel = p.channel AND k.before < p.cumulative AND k.after >= p.cumulative LIMIT 1) AS transaction_hash
  FROM payment p JOIN channel c ON c.id = p.channel JOIN batch b ON b.id = p.batch_id`;

export async function paymentById(sql: Sql, id: bigint): Promise<PaymentRow | null> {
  const [row] = await sql<PaymentRow[]>`${selectPayments(sql)} WHERE p.id = ${id}`;
  return row ?? null;
}

/** Payments already booked under any of these keys or cumulative amounts; `channel` is its row's id. */
export async function paymentsLike(
  tx: Tx,
  wanted: readonly { channel: bigint; key: string; cumulative: bigint }[],
): Promise<PaymentRow[]> {
  const channels = wanted.map(({ channel }) => channel);
  return tx<PaymentRow[]>`
    WITH wanted AS (
      SELECT * FROM unnest(${list(channels)}::bigint[], ${wanted.map(({ key }) => key)}::text[],
                           ${list(wanted.map(({ cumulative }) => cumulative.toString()))}::numeric[]) AS w(channel, key, cumulative)
    ), found AS (
      SELECT p.id FROM wanted w JOIN payment p ON p.channel = w.channel AND p.key = w.key
      UNION SELECT p.id FROM wanted w JOIN payment p ON p.channel = w.channel AND p.cumulative = w.cumulative
    )
    ${selectPayments(tx)} WHERE p.id IN (SELECT id FROM found)`;
}

/** The vouchers of payments that are booked, by `channelId:key`. */
export async function bookedVouchers(
  sql: Sql,
  epochId: bigint,
  wanted: readonly { channelId: string; key: string }[],
): Promise<Map<string, { cumulative: bigint; signature: Uint8Array }>> {
  const rows = await sql<
    { channel_id: Uint8Array; key: string; cumulative: bigint; signature: Uint8Array }[]
  >`
    SELECT c.channel_id, p.key, p.cumulative, p.signature
    FROM unnest(${list(wanted.map(({ channelId }) => bytesOf(channelId)))}::text[]::bytea[],
                ${wanted.map(({ key }) => key)}::text[]) AS w(channel_id, key)
    JOIN channel c ON c.epoch_id = ${epochId} AND c.channel_id = w.channel_id
    JOIN payment p ON p.channel = c.id AND p.key = w.key`;
  return new Map(rows.map((row) => [`${hexOf(row.channel_id)}:${row.key}`, row]));
}

/** Newest first. */
export async function listPaymentRows(
  sql: Sql,
  query: {
    payer?: string | undefined;
    payee?: string | undefined;
    batchId?: bigint | undefined;
    before?: bigint | undefined;
    limit: number;
  },
): Promise<PaymentRow[]> {
  return sql<PaymentRow[]>`
    ${selectPayments(sql)} WHERE true
      ${query.payer ? sql`AND c.payer = ${bytesOf(query.payer)}` : sql``}
      ${query.payee ? sql`AND (p.payee = ${bytesOf(query.payee)} OR (p.payee IS NULL AND c.receiver = ${bytesOf(query.payee)}))` : sql``}
      ${query.batchId === undefined ? sql`` : sql`AND p.batch_id = ${query.batchId}`}
      ${query.before === undefined ? sql`` : sql`AND p.id < ${query.before}`}
    ORDER BY p.id DESC LIMIT ${query.limit}`;
}

/** What a receipt says of the payment itself. */
export interface ReceiptFacts {
  id: bigint;
  key: string;
  channelId: `0x${string}`;
  /** Addresses are checksummed. */
  payer: `0x${string}`;
  payee: `0x${string}`;
  amount: bigint;
  cumulative: bigint;
  state: Receipt["state"];
  reference: string | null;
  acceptedAt: number;
  batchId: bigint;
  transactionHash: string | null;
  credit: { cumulative: bigint; root: number } | null;
}

export function receiptOf(facts: ReceiptFacts, ticket: TicketFacts | null): Receipt {
  const { credit } = facts;
  return {
    paymentId: facts.id.toString(),
    key: facts.key,
    channelId: facts.channelId,
    payer: facts.payer,
    payee: facts.payee,
    amount: { amount: formatAmount(facts.amount, channelUnit), unit: channelUnit },
    cumulative: facts.cumulative.toString(),
    state: facts.state,
    reference: facts.reference,
    acceptedAt: facts.acceptedAt,
    batchId: facts.batchId.toString(),
    transactionHash: facts.transactionHash,
    carbon: ticket && {
      co2Micrograms: ticket.co2Micrograms.toString(),
      energyMillijoules: ticket.energyMillijoules.toString(),
      waterMicrolitres: ticket.waterMicrolitres.toString(),
      factor: ticket.factor,
    },
    energy: ticket && {
      ticketId: ticket.ticketId,
      atp: { amount: formatAmount(ticket.atp, "ATP"), unit: "ATP" },
    },
    credit: credit && { cumulative: credit.cumulative.toString(), root: credit.root, signature: null },
    proof: null,
  };
}

export const rowReceipt = (row: PaymentRow, ticket: TicketFacts | null): Receipt =>
  receiptOf(
    {
      id: row.id,
      key: row.key,
      channelId: hexOf(row.channel_id),
      payer: addressOf(row.payer),
      payee: addressOf(row.payee ?? row.receiver),
      amount: row.amount,
      cumulative: row.cumulative,
      state: stateOf(row),
      reference: row.reference,
      acceptedAt: Number(row.accepted_at),
      batchId: row.batch_id,
      transactionHash: row.transaction_hash,
      credit: row.credited === null ? null : { cumulative: row.credited, root: row.root_number ?? 0 },
    },
    ticket,
  );

/** A payment's state is never stored: it follows from its channel's claimed amount and its batch. */
function stateOf(row: PaymentRow): Receipt["state"] {
  if (row.batch_state === "lost") return "lost";
  if (row.cumulative > row.claimed) return "accepted";
  return row.batch_state === "settled" ? "settled" : "claimed";
}
