import { addressOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { CompletedWork } from "../service.ts";

interface FootprintRow {
  id: string;
  worker: Uint8Array;
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
export async function readCompletedWork(
  sql: Sql | Tx,
  ids: readonly string[],
): Promise<Map<string, CompletedWork>> {
  const wellFormed = ids.filter((id) => uuid.test(id));
  if (wellFormed.length === 0) return new Map();
  const rows = await sql<FootprintRow[]>`
    SELECT ticket_id AS id, f.* FROM footprint f WHERE ticket_id = ANY(${wellFormed}::uuid[])`;
  return new Map(rows.map((row) => [row.id, workOf(row)]));
}

/** Lower case, as PostgreSQL writes it back: a ticket has one spelling, so that it is paid once. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const workOf = (row: FootprintRow): CompletedWork => ({
  ticketId: row.id,
  worker: addressOf(row.worker),
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
