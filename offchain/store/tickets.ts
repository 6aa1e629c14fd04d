import { addressOf } from "./bytes.ts";
import type { Sql, Tx } from "./database.ts";
import type { TicketFacts } from "./receipts.ts";

/** A completed work ticket as something to pay for. */
export interface PayableTicket {
  worker: `0x${string}`;
  /** The payment that already paid it. */
  paidBy: bigint | null;
  facts: TicketFacts;
}

interface Row {
  ticket_id: string;
  worker: Uint8Array;
  atp: bigint;
  energy_mj: bigint;
  co2_micrograms: bigint;
  water_microlitres: bigint;
  factor_source: string;
  factor_region: string;
  factor_year: number | null;
  factor_kind: string;
  paid_by: bigint | null;
}

const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** The completed tickets among `ids`, by id. */
export async function payableTickets(sql: Sql | Tx, ids: readonly string[]): Promise<Map<string, PayableTicket>> {
  const wanted = [...new Set(ids.filter(isUuid))];
  if (wanted.length === 0) return new Map();
  const rows = await sql<Row[]>`
    SELECT f.*, p.id AS paid_by FROM carbon_footprints f LEFT JOIN payment p ON p.ticket_id = f.ticket_id::text
    WHERE f.ticket_id = ANY(${wanted}::uuid[])`;
  return new Map(
    rows.map((row) => [
      row.ticket_id,
      { worker: addressOf(row.worker), paidBy: row.paid_by, facts: factsOf(row) },
    ]),
  );
}

/** What the tickets put on the receipts of their payments, by id. */
export async function ticketFacts(sql: Sql | Tx, ids: readonly (string | null)[]): Promise<Map<string, TicketFacts>> {
  const tickets = await payableTickets(sql, ids.filter((id) => id !== null));
  return new Map([...tickets].map(([id, { facts }]) => [id, facts]));
}

const factsOf = (row: Row): TicketFacts => ({
  ticketId: row.ticket_id,
  atp: row.atp,
  energyMillijoules: row.energy_mj,
  co2Micrograms: row.co2_micrograms,
  waterMicrolitres: row.water_microlitres,
  factor: `${row.factor_source}, ${row.factor_region}${row.factor_year === null ? "" : ` ${row.factor_year}`}, ${row.factor_kind}`,
});
