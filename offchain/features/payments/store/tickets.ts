import { addressOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { TicketFacts } from "./receipts.ts";

/** A completed work ticket, as a payment for it needs to know it. */
export interface PayableTicket {
  /** Who did the work; checksummed. */
  worker: `0x${string}`;
  /** The payment that paid for it already, if any. */
  paidBy: bigint | null;
  facts: TicketFacts;
}

interface FootprintRow {
  id: string;
  worker: Uint8Array;
  paid_by: bigint | null;
  atp: bigint;
  energy_millijoules: bigint;
  co2_micrograms: bigint;
  water_microlitres: bigint;
  factor_value: bigint;
  factor_region: string;
  factor_source: string;
  factor_year: number | null;
  factor_kind: string;
}

/** The completed tickets among these ids; an id that is none, or whose work is not done, is left out. */
export async function payableTickets(
  sql: Sql | Tx,
  ids: readonly string[],
): Promise<Map<string, PayableTicket>> {
  const wellFormed = ids.filter((id) => uuid.test(id));
  if (wellFormed.length === 0) return new Map();
  const rows = await sql<FootprintRow[]>`
    SELECT f.ticket_id AS id, f.*, p.id AS paid_by
    FROM footprint f LEFT JOIN payment p ON p.ticket_id = f.ticket_id::text
    WHERE f.ticket_id = ANY(${wellFormed}::uuid[])`;
  return new Map(
    rows.map((row) => [row.id, { worker: addressOf(row.worker), paidBy: row.paid_by, facts: factsOf(row) }]),
  );
}

/** What completed tickets put on the receipts of their payments. */
export async function ticketFacts(sql: Sql | Tx, ids: readonly string[]): Promise<Map<string, TicketFacts>> {
  return new Map([...(await payableTickets(sql, ids))].map(([id, { facts }]) => [id, facts]));
}

/** Lower case, as PostgreSQL writes it back: a ticket has one spelling, so that it is paid once. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const factsOf = (row: FootprintRow): TicketFacts => ({
  ticketId: row.id,
  atp: row.atp,
  energyMillijoules: row.energy_millijoules,
  co2Micrograms: row.co2_micrograms,
  waterMicrolitres: row.water_microlitres,
  factor: [
    `${row.factor_value} mg/kWh`,
    row.factor_region,
    row.factor_kind,
    row.factor_year === null ? row.factor_source : `${row.factor_source} ${row.factor_year}`,
  ].join(", "),
});
