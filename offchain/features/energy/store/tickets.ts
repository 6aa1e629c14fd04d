import { addressOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import { type Held, keyOf, type StoredTicket, type Ticket, type TicketRequest } from "../rules/ticket.ts";

interface TicketRow {
  id: string;
  society_id: string;
  key: string;
  worker: Uint8Array;
  requester: Uint8Array | null;
  compute_type: Ticket["computeType"];
  duration_ms: bigint;
  region: Ticket["region"];
  profile: Ticket["profile"];
  description: string;
  state: Ticket["state"];
  reserved: bigint;
  created_at: bigint;
  deadline_at: bigint;
  resolved_at: bigint | null;
  reason: string | null;
  actual_ms: bigint | null;
  quality_bps: number | null;
  credit: bigint | null;
}

const toTicket = (row: TicketRow): StoredTicket => ({
  id: row.id,
  key: row.key,
  society: row.society_id,
  worker: addressOf(row.worker),
  requester: row.requester && addressOf(row.requester),
  computeType: row.compute_type,
  durationMs: Number(row.duration_ms),
  region: row.region,
  profile: row.profile,
  description: row.description,
  state: row.state,
  reserved: row.reserved,
  createdAt: Number(row.created_at),
  deadlineAt: Number(row.deadline_at),
  resolvedAt: row.resolved_at === null ? null : Number(row.resolved_at),
  reason: row.reason,
  reported: reportedOf(row),
});

const reportedOf = ({ actual_ms, quality_bps, credit }: TicketRow): StoredTicket["reported"] =>
  actual_ms === null || quality_bps === null || credit === null
    ? null
    : { durationMs: Number(actual_ms), qualityBps: quality_bps, creditAdp: credit };

export async function findTickets(tx: Tx, ids: readonly string[]): Promise<StoredTicket[]> {
  const rows = await tx<TicketRow[]>`SELECT * FROM work_ticket WHERE id = any(${[...ids]}::uuid[])`;
  return rows.map(toTicket);
}

/** Which of the requests' keys are taken, as `society key` → id of the ticket. */
export async function takenKeys(tx: Tx, requests: readonly TicketRequest[]): Promise<Map<string, string>> {
  const asked = requests.map(({ society, key }) => ({ society, key }));
  const rows = await tx<{ id: string; society: string; key: string }[]>`
    SELECT t.id, t.society_id AS society, t.key
    FROM jsonb_to_recordset(${tx.json(asked)}) AS asked(society text, key text)
    JOIN work_ticket t ON t.society_id = asked.society AND t.key = asked.key`;
  return new Map(rows.map(({ id, society, key }) => [keyOf({ society, key }), id]));
}

/** A new ticket with what the ledger holds for it. */
export interface HeldTicket extends Held {
  ticket: Ticket;
}

export async function insertTickets(tx: Tx, reservations: readonly HeldTicket[]): Promise<void> {
  const tickets = reservations.map(({ ticket, holdId }) => ({
    ...ticket,
    holdId,
    worker: ticket.worker.slice(2),
    requester: ticket.requester?.slice(2) ?? null,
    reserved: ticket.reserved.toString(),
    result: null,
  }));
  await tx`
    INSERT INTO work_ticket (id, society_id, key, worker, requester, compute_type, duration_ms, region, profile,
      description, state, reserved, hold_id, created_at, deadline_at)
    SELECT id, society, key, decode(worker, 'hex'), decode(requester, 'hex'), "computeType", "durationMs", region,
      profile, description, 'allocated', reserved, "holdId", "createdAt", "deadlineAt"
    FROM jsonb_to_recordset(${tx.json(tickets)}) AS
      r(id uuid, society text, key text, worker text, requester text, "computeType" text, "durationMs" bigint,
        region text, profile text, description text, reserved numeric, "holdId" text, "createdAt" bigint,
        "deadlineAt" bigint)`;
  const draws = reservations.flatMap(({ ticket, draws }) =>
    draws.map(({ lotId, amount }, ordinal) => ({
      ticketId: ticket.id,
      ordinal,
      lotId,
      amount: amount.toString(),
    })),
  );
  await tx`
    INSERT INTO ticket_draw (ticket_id, ordinal, lot_id, amount)
    SELECT "ticketId", ordinal, "lotId", amount
    FROM jsonb_to_recordset(${tx.json(draws)}) AS r("ticketId" uuid, ordinal integer, "lotId" bigint, amount numeric)`;
}

export async function heldBy(tx: Tx, ids: readonly string[]): Promise<Map<string, Held>> {
  const rows = await tx<{ ticket: string; hold: string; lot: bigint; amount: bigint }[]>`
    SELECT d.ticket_id AS ticket, t.hold_id AS hold, d.lot_id AS lot, d.amount
    FROM ticket_draw d JOIN work_ticket t ON t.id = d.ticket_id
    WHERE d.ticket_id = any(${[...ids]}::uuid[]) ORDER BY d.ticket_id, d.ordinal`;
  return new Map(
    [...Map.groupBy(rows, ({ ticket }) => ticket)].map(([ticket, ofTicket]) => [
      ticket,
      {
        holdId: ofTicket[0]?.hold ?? "",
        draws: ofTicket.map(({ lot, amount }) => ({ lotId: lot.toString(), amount })),
      },
    ]),
  );
}

export interface Resolution {
  id: string;
  state: "completed" | "failed" | "expired";
  reason: string | null;
  actualMs: number | null;
  qualityBps: number | null;
  credit: bigint | null;
}

export async function resolveTickets(tx: Tx, resolutions: readonly Resolution[], now: number): Promise<void> {
  const rows = resolutions.map((resolution) => ({
    ...resolution,
    credit: resolution.credit?.toString() ?? null,
  }));
  await tx`
    UPDATE work_ticket AS t SET
      state = r.state, reason = r.reason, actual_ms = r."actualMs", quality_bps = r."qualityBps", credit = r.credit,
      resolved_at = ${now}
    FROM jsonb_to_recordset(${tx.json(rows)}) AS
      r(id uuid, state text, reason text, "actualMs" bigint, "qualityBps" integer, credit numeric)
    WHERE t.id = r.id AND t.state = 'allocated'`;
}

/** Tickets past their deadline, the longest overdue first. */
export async function overdueTickets(
  tx: Tx,
  now: number,
  limit: number,
): Promise<{ id: string; society: string }[]> {
  return await tx<{ id: string; society: string }[]>`
    SELECT id, society_id AS society FROM work_ticket
    WHERE state = 'allocated' AND deadline_at < ${now} ORDER BY deadline_at LIMIT ${limit}`;
}
