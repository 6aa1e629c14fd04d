import { addressOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { ComputeType } from "./rules/hardware.ts";
import type { MassFactor } from "./rules/region.ts";
import type { CarbonQuery, CarbonSummary, CarbonTotals, RecordedFootprint } from "./service.ts";

const hourMs = 3_600_000;
/** Hours that a summary lists, the one that runs included. */
const hoursShown = 24;

/** Stores footprints and adds them to their hour, in the transaction that completes the work. */
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
    INSERT INTO footprint_hour (starts_at, worker, region, compute_type, tickets, atp, energy_millijoules, co2_micrograms,
      water_microlitres)
    SELECT ${hourStart(now)}, worker, region, compute_type, count(*), sum(atp), sum(energy_millijoules), sum(co2_micrograms),
      sum(water_microlitres)
    FROM recorded GROUP BY worker, region, compute_type ORDER BY worker, region, compute_type
    ON CONFLICT (starts_at, worker, region, compute_type) DO UPDATE SET
      tickets = footprint_hour.tickets + excluded.tickets,
      atp = footprint_hour.atp + excluded.atp,
      energy_millijoules = footprint_hour.energy_millijoules + excluded.energy_millijoules,
      co2_micrograms = footprint_hour.co2_micrograms + excluded.co2_micrograms,
      water_microlitres = footprint_hour.water_microlitres + excluded.water_microlitres`;
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

const sumsOf = (sql: Sql | Tx) =>
  sql`coalesce(sum(tickets), 0)::bigint AS tickets, coalesce(sum(atp), 0)::numeric(38,0) AS atp,
      coalesce(sum(energy_millijoules), 0)::numeric(38,0) AS energy_millijoules,
      coalesce(sum(co2_micrograms), 0)::numeric(38,0) AS co2_micrograms,
      coalesce(sum(water_microlitres), 0)::numeric(38,0) AS water_microlitres`;

/** What all work emitted. */
export async function readTotals(sql: Sql): Promise<CarbonTotals> {
  const [row] = await sql<TotalsRow[]>`SELECT ${sumsOf(sql)} FROM footprint_hour`;
  return toTotals(row);
}

/** One snapshot, so that the parts add up to the whole even while work is completed. */
export async function summarise(sql: Sql, query: CarbonQuery, now: number): Promise<CarbonSummary> {
  const since = hourStart(now) - (hoursShown - 1) * hourMs;
  const worker = query.agent?.slice(2) ?? null;
  return await sql.begin("isolation level repeatable read read only", async (tx) => {
    const sums = sumsOf(tx);
    const chosen = tx`${worker}::text IS NULL OR worker = decode(${worker}::text, 'hex')`;
    const [all] = await tx<TotalsRow[]>`SELECT ${sums} FROM footprint_hour WHERE ${chosen}`;
    const agents = await tx<(TotalsRow & { worker: Uint8Array })[]>`
      SELECT worker, ${sums} FROM footprint_hour WHERE ${chosen}
      GROUP BY worker ORDER BY sum(co2_micrograms) DESC, worker LIMIT ${query.limit}`;
    const regions = await tx<(TotalsRow & { region: string })[]>`
      SELECT region, ${sums} FROM footprint_hour WHERE ${chosen}
      GROUP BY region ORDER BY sum(co2_micrograms) DESC, region`;
    const hardware = await tx<(TotalsRow & { compute_type: ComputeType })[]>`
      SELECT compute_type, ${sums} FROM footprint_hour WHERE ${chosen}
      GROUP BY compute_type ORDER BY sum(co2_micrograms) DESC, compute_type`;
    const hours = await tx<(TotalsRow & { starts_at: bigint })[]>`
      SELECT starts_at, ${sums} FROM footprint_hour WHERE (${chosen}) AND starts_at >= ${since} GROUP BY starts_at`;
    const byHour = new Map(hours.map((row) => [Number(row.starts_at), row]));
    return {
      totals: toTotals(all),
      agents: agents.map((row) => ({ agent: addressOf(row.worker), ...toTotals(row) })),
      regions: regions.map((row) => ({ region: row.region, ...toTotals(row) })),
      hardware: hardware.map((row) => ({ computeType: row.compute_type, ...toTotals(row) })),
      hours: Array.from({ length: hoursShown }, (_, index) => {
        const startsAt = since + index * hourMs;
        return { startsAt, ...toTotals(byHour.get(startsAt)) };
      }),
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
