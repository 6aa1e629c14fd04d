import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { ComputeType } from "./rules/hardware.ts";
import type { MassFactor } from "./rules/region.ts";
import type { CarbonQuery, CarbonSummary, CarbonTotals, RecordedFootprint } from "./service.ts";

const hourMs = 3_600_000;
/** Hours that a summary lists, the one that runs included. */
const hoursShown = 24;

/** Stands for all workers together among the sums. */
const everybody = Buffer.alloc(0);

/** Stores footprints and adds them to the sums, in the transaction that completes the work: it has taken the ledger. */
export async function recordFootprints(
  tx: Tx,
  footprints: readonly RecordedFootprint[],
  now: number,
): Promise<void> {
  const rows = footprints.map(({ factor, ...footprint }) => ({
    ticketId: footprint.ticketId,
    worker: footprint.worker.slice(2),
    region: footprint.region,
    computeType: footprint.computeType,
    atp: footprint.atp.toString(),
    energyMillijoules: footprint.energyMillijoules.toString(),
    co2: footprint.co2Micrograms.toString(),
    water: footprint.waterMicrolitres.toString(),
    factorValue: factor.value.toString(),
    factorRegion: factor.region,
    factorSource: factor.source,
    factorYear: factor.year,
    factorKind: factor.kind,
  }));
  await tx`
    WITH recorded AS (
      INSERT INTO footprint (ticket_id, worker, region, compute_type, atp, energy_millijoules, co2_micrograms,
        water_microlitres, factor_value, factor_region, factor_source, factor_year, factor_kind, recorded_at)
      SELECT "ticketId", decode(worker, 'hex'), region, "computeType", atp, "energyMillijoules", co2, water, "factorValue",
        "factorRegion", "factorSource", "factorYear", "factorKind", ${now}
      FROM jsonb_to_recordset(${tx.json(rows)}) AS
        r("ticketId" uuid, worker text, region text, "computeType" text, atp numeric, "energyMillijoules" numeric,
          co2 numeric, water numeric, "factorValue" numeric, "factorRegion" text, "factorSource" text,
          "factorYear" integer, "factorKind" text)
      RETURNING *
    )
    INSERT INTO footprint_sum AS s (worker, dimension, value, tickets, atp, energy_millijoules, co2_micrograms,
      water_microlitres)
    SELECT w.worker, d.dimension, d.value, count(*), sum(atp), sum(energy_millijoules), sum(co2_micrograms),
      sum(water_microlitres)
    FROM recorded r
    CROSS JOIN LATERAL (VALUES (${everybody}::bytea), (r.worker)) AS w(worker)
    CROSS JOIN LATERAL (VALUES ('all', ''), ('region', r.region), ('hardware', r.compute_type),
      ('hour', ${String(hourStart(now))})) AS d(dimension, value)
    GROUP BY w.worker, d.dimension, d.value ORDER BY w.worker, d.dimension, d.value
    ON CONFLICT (worker, dimension, value) DO UPDATE SET
      tickets = s.tickets + excluded.tickets,
      atp = s.atp + excluded.atp,
      energy_millijoules = s.energy_millijoules + excluded.energy_millijoules,
      co2_micrograms = s.co2_micrograms + excluded.co2_micrograms,
      water_microlitres = s.water_microlitres + excluded.water_microlitres`;
}

interface FootprintRow {
  ticket_id: string;
  worker: Uint8Array;
  region: string;
  compute_type: ComputeType;
  atp: bigint;
  energy_millijoules: bigint;
  co2_micrograms: bigint;
  water_microlitres: bigint;
  factor_value: bigint;
  factor_region: string;
  factor_source: string;
  factor_year: number | null;
  factor_kind: MassFactor["kind"];
}

/** The footprints of work tickets, by ticket; those that have none are left out. */
export async function readFootprints(
  sql: Sql | Tx,
  ticketIds: readonly string[],
): Promise<Map<string, RecordedFootprint>> {
  const rows = await sql<FootprintRow[]>`
    SELECT ticket_id, worker, region, compute_type, atp, energy_millijoules, co2_micrograms, water_microlitres,
      factor_value, factor_region, factor_source, factor_year, factor_kind
    FROM footprint WHERE ticket_id = ANY(${[...ticketIds]}::uuid[])`;
  return new Map(rows.map((row) => [row.ticket_id, toFootprint(row)]));
}

const toFootprint = (row: FootprintRow): RecordedFootprint => ({
  ticketId: row.ticket_id,
  worker: addressOf(row.worker),
  region: row.region,
  computeType: row.compute_type,
  atp: row.atp,
  energyMillijoules: row.energy_millijoules,
  co2Micrograms: row.co2_micrograms,
  waterMicrolitres: row.water_microlitres,
  factor: {
    value: row.factor_value,
    region: row.factor_region,
    source: row.factor_source,
    year: row.factor_year,
    kind: row.factor_kind,
  },
});

interface TotalsRow {
  tickets: bigint;
  atp: bigint;
  energy_millijoules: bigint;
  co2_micrograms: bigint;
  water_microlitres: bigint;
}

const figures = (sql: Sql | Tx) => sql`tickets, atp, energy_millijoules, co2_micrograms, water_microlitres`;

/** What all work emitted. */
export async function readTotals(sql: Sql): Promise<CarbonTotals> {
  const [row] = await sql<TotalsRow[]>`
    SELECT ${figures(sql)} FROM footprint_sum WHERE worker = ${everybody} AND dimension = 'all'`;
  return toTotals(row);
}

/** One snapshot, so that the parts add up to the whole even while work is completed. */
export async function summarise(sql: Sql, query: CarbonQuery, now: number): Promise<CarbonSummary> {
  const since = hourStart(now) - (hoursShown - 1) * hourMs;
  const startsAt = Array.from({ length: hoursShown }, (_, index) => since + index * hourMs);
  const worker = query.agent ? bytesOf(query.agent) : everybody;
  return await sql.begin("isolation level repeatable read read only", async (tx) => {
    const rows = await tx<(TotalsRow & { dimension: string; value: string })[]>`
      SELECT dimension, value, ${figures(tx)} FROM footprint_sum
      WHERE worker = ${worker} AND dimension IN ('all', 'region', 'hardware')
      ORDER BY footprint_sum.co2_micrograms DESC, value`;
    const hours = await tx<(TotalsRow & { value: string })[]>`
      SELECT value, ${figures(tx)} FROM footprint_sum
      WHERE worker = ${worker} AND dimension = 'hour' AND value = ANY(${startsAt.map(String)}::text[])`;
    const agents = await tx<(TotalsRow & { worker: Uint8Array })[]>`
      SELECT worker, ${figures(tx)} FROM footprint_sum
      WHERE dimension = 'all' AND ${query.agent ? tx`value = '' AND worker = ${worker}` : tx`worker <> ''`}
      ORDER BY co2_micrograms DESC, worker LIMIT ${query.limit}`;
    const of = (dimension: string) => rows.filter((row) => row.dimension === dimension);
    const byHour = new Map(hours.map((row) => [Number(row.value), row]));
    return {
      totals: toTotals(of("all")[0]),
      agents: agents.map((row) => ({ agent: addressOf(row.worker), ...toTotals(row) })),
      regions: of("region").map((row) => ({ region: row.value, ...toTotals(row) })),
      hardware: of("hardware").map((row) => ({
        computeType: row.value as ComputeType,
        ...toTotals(row),
      })),
      hours: startsAt.map((at) => ({ startsAt: at, ...toTotals(byHour.get(at)) })),
    };
  });
}

const toTotals = (row: TotalsRow | undefined): CarbonTotals => ({
  tickets: row?.tickets ?? 0n,
  atp: row?.atp ?? 0n,
  energyMillijoules: row?.energy_millijoules ?? 0n,
  co2Micrograms: row?.co2_micrograms ?? 0n,
  waterMicrolitres: row?.water_microlitres ?? 0n,
});

const hourStart = (at: number): number => Math.floor(at / hourMs) * hourMs;
