import type { Receipt } from "#offchain/actions/micropayments/port.ts";
import { formatAmount } from "#offchain/domain/unit.ts";
import { addressOf, bytesOf, hexOf, list } from "./bytes.ts";
import { channelUnit } from "./channels.ts";
import type { Sql, Tx } from "./database.ts";

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
  request_hash: Uint8Array;
  /** By a cleared channel: whom it pays, what that payee was ever credited after it, and the first root to contain it. */
  payee: Uint8Array | null;
  credited: bigint | null;
  root_number: number | null;
}

/** The columns of {@link PaymentRow}, for `FROM payment p JOIN channel c … JOIN batch b …`. */
const selectPayments = (sql: Sql | Tx) => sql`
  SELECT p.id, p.key, p.cumulative, p.amount, p.reference, p.accepted_at, p.batch_id, p.ticket_id, p.request_hash,
         p.payee, p.credited, p.root_number,
         c.channel_id, c.payer, c.receiver, c.claimed, b.state AS batch_state,
         (SELECT '0x' || encode(k.transaction_hash, 'hex') FROM channel_claim k
          WHERE k.channel = p.channel AND k.before < p.cumulative AND k.after >= p.cumulative LIMIT 1) AS transaction_hash
  FROM payment p JOIN channel c ON c.id = p.channel JOIN batch b ON b.id = p.batch_id`;

export async function paymentById(sql: Sql, id: bigint): Promise<PaymentRow | null> {
  const [row] = await sql<PaymentRow[]>`${selectPayments(sql)} WHERE p.id = ${id}`;
  return row ?? null;
}

/** Payments already booked under any of these keys or cumulative amounts, by `channel row id:key`. */
export async function paymentsLike(
  tx: Tx,
  wanted: readonly { channel: bigint; key: string; cumulative: bigint }[],
): Promise<(PaymentRow & { channel: bigint })[]> {
  const channels = wanted.map(({ channel }) => channel);
  return tx<(PaymentRow & { channel: bigint })[]>`
    WITH wanted AS (
      SELECT * FROM unnest(${list(channels)}::bigint[], ${wanted.map(({ key }) => key)}::text[],
                           ${list(wanted.map(({ cumulative }) => cumulative.toString()))}::numeric[]) AS w(channel, key, cumulative)
    ), found AS (
      SELECT p.id FROM wanted w JOIN payment p ON p.channel = w.channel AND p.key = w.key
      UNION SELECT p.id FROM wanted w JOIN payment p ON p.channel = w.channel AND p.cumulative = w.cumulative
    )
    SELECT q.*, p.channel FROM (${selectPayments(tx)} WHERE p.id IN (SELECT id FROM found)) q JOIN payment p ON p.id = q.id`;
}

/** The request hashes of payments that are booked, by `channelId:key`. */
export async function bookedRequests(
  sql: Sql,
  epochId: bigint,
  wanted: readonly { channelId: string; key: string }[],
): Promise<Map<string, Buffer>> {
  const rows = await sql<{ channel_id: Uint8Array; key: string; request_hash: Buffer }[]>`
    SELECT c.channel_id, p.key, p.request_hash
    FROM unnest(${list(wanted.map(({ channelId }) => bytesOf(channelId)))}::text[]::bytea[],
                ${wanted.map(({ key }) => key)}::text[]) AS w(channel_id, key)
    JOIN channel c ON c.epoch_id = ${epochId} AND c.channel_id = w.channel_id
    JOIN payment p ON p.channel = c.id AND p.key = w.key`;
  return new Map(rows.map((row) => [`${hexOf(row.channel_id)}:${row.key}`, row.request_hash]));
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

export function receiptOf(row: PaymentRow, ticket: TicketFacts | null): Receipt {
  return {
    paymentId: row.id.toString(),
    key: row.key,
    channelId: hexOf(row.channel_id),
    payer: addressOf(row.payer),
    payee: addressOf(row.payee ?? row.receiver),
    amount: { amount: formatAmount(row.amount, channelUnit), unit: channelUnit },
    cumulative: row.cumulative.toString(),
    state: stateOf(row),
    reference: row.reference,
    acceptedAt: Number(row.accepted_at),
    batchId: row.batch_id.toString(),
    transactionHash: row.transaction_hash,
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
    credit:
      row.credited === null
        ? null
        : { cumulative: row.credited.toString(), root: row.root_number ?? 0, signature: null },
    proof: null,
  };
}

/** A payment's state is never stored: it follows from its channel's claimed amount and its batch. */
function stateOf(row: PaymentRow): Receipt["state"] {
  if (row.batch_state === "lost") return "lost";
  if (row.cumulative > row.claimed) return "accepted";
  return row.batch_state === "settled" ? "settled" : "claimed";
}
