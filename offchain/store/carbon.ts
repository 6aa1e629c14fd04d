import type { Carbon, CarbonQuery, CarbonSummary, CarbonTotals } from "#offchain/actions/carbon/port.ts";
import type { Address } from "#offchain/actions/energy/port.ts";
import type { Footprint } from "#offchain/domain/carbon.ts";
import type { Clock } from "#offchain/domain/clock.ts";
import type { ComputeType } from "#offchain/domain/hardware.ts";
import type { Database, Transaction } from "./database.ts";
import { addressOf, hexOf } from "./energy/address.ts";

const hourMs = 3_600_000;

export interface RecordedFootprint extends Footprint {
  ticketId: string;
  worker: Address;
  region: string;
  computeType: ComputeType;
  /** µATP. */
  atp: bigint;
}

/** Stores footprints and adds them to their hour, in the transaction that completes the work. */
export async function recordFootprints(
  tx: Transaction,
  footprints: readonly RecordedFootprint[],
  now: number,
): Promise<void> {
  const rows = footprints.map(({ factor, ...footprint }) => ({
    ticketId: footprint.ticketId,
    worker: hexOf(footprint.worker),
    region: footprint.region,
    computeType: footprint.computeType,
    atp: footprint.atp.toString(),
    energyMj: footprint.energyMj.toString(),
    co2: footprint.co2Micrograms.toString(),
    water: footprint.waterMicrolitres.toString(),
    factorValue: factor.value.toString(),
    factorRegion: factor.region,
    factorSource: factor.source,
    factorYear: factor.year,
    factorKind: factor.kind,
  }));
  await tx`
    with recorded as (
      insert into carbon_footprints (ticket_id, worker, region, compute_type, atp, energy_mj, co2_micrograms,
        water_microlitres, factor_value, factor_region, factor_source, factor_year, factor_kind, recorded_at)
      select "ticketId", decode(worker, 'hex'), region, "computeType", atp, "energyMj", co2, water, "factorValue",
        "factorRegion", "factorSource", "factorYear", "factorKind", ${now}
      from jsonb_to_recordset(${tx.json(rows)}) as
        r("ticketId" uuid, worker text, region text, "computeType" text, atp numeric, "energyMj" numeric,
          co2 numeric, water numeric, "factorValue" numeric, "factorRegion" text, "factorSource" text,
          "factorYear" integer, "factorKind" text)
      returning *
    )
    insert into carbon_hours (starts_at, worker, region, compute_type, tickets, atp, energy_mj, co2_micrograms,
      water_microlitres)
    select ${hourStart(now)}, worker, region, compute_type, count(*), sum(atp), sum(energy_mj), sum(co2_micrograms),
      sum(water_microlitres)
    from recorded group by worker, region, compute_type order by worker, region, compute_type
    on conflict (starts_at, worker, region, compute_type) do update set
      tickets = carbon_hours.tickets + excluded.tickets,
      atp = carbon_hours.atp + excluded.atp,
      energy_mj = carbon_hours.energy_mj + excluded.energy_mj,
      co2_micrograms = carbon_hours.co2_micrograms + excluded.co2_micrograms,
      water_microlitres = carbon_hours.water_microlitres + excluded.water_microlitres`;
}

export function openCarbon({ database, clock }: { database: Database; clock: Clock }): Carbon {
  return { summary: (query) => summarise(database, query, clock.now()) };
}

interface TotalsRow {
  tickets: bigint;
  atp: bigint;
  energy_mj: bigint;
  co2_micrograms: bigint;
  water_microlitres: bigint;
}

/** One snapshot, so that the parts add up to the whole even while work is completed. */
async function summarise(database: Database, query: CarbonQuery, now: number): Promise<CarbonSummary> {
  const since = hourStart(now) - 23 * hourMs;
  const worker = query.agent === undefined ? null : hexOf(query.agent);
  return await database.sql.begin("isolation level repeatable read read only", async (tx) => {
    const sums = tx`coalesce(sum(tickets), 0)::bigint as tickets, coalesce(sum(atp), 0) as atp,
      coalesce(sum(energy_mj), 0) as energy_mj, coalesce(sum(co2_micrograms), 0) as co2_micrograms,
      coalesce(sum(water_microlitres), 0) as water_microlitres`;
    const chosen = tx`${worker}::text is null or worker = decode(${worker}::text, 'hex')`;
    const [all] = await tx<TotalsRow[]>`select ${sums} from carbon_hours where ${chosen}`;
    const agents = await tx<(TotalsRow & { worker: Uint8Array })[]>`
      select worker, ${sums} from carbon_hours where ${chosen}
      group by worker order by sum(co2_micrograms) desc, worker limit ${query.limit}`;
    const regions = await tx<(TotalsRow & { region: string })[]>`
      select region, ${sums} from carbon_hours where ${chosen}
      group by region order by sum(co2_micrograms) desc, region`;
    const hardware = await tx<(TotalsRow & { compute_type: ComputeType })[]>`
      select compute_type, ${sums} from carbon_hours where ${chosen}
      group by compute_type order by sum(co2_micrograms) desc, compute_type`;
    const hours = await tx<(TotalsRow & { starts_at: bigint })[]>`
      select starts_at, ${sums} from carbon_hours where (${chosen}) and starts_at >= ${since} group by starts_at`;
    const byHour = new Map(hours.map((row) => [Number(row.starts_at), row]));
    return {
      totals: toTotals(all),
      agents: agents.map((row) => ({ agent: addressOf(row.worker), ...toTotals(row) })),
      regions: regions.map((row) => ({ region: row.region, ...toTotals(row) })),
      hardware: hardware.map((row) => ({ computeType: row.compute_type, ...toTotals(row) })),
      hours: Array.from({ length: 24 }, (_, index) => {
        const startsAt = since + index * hourMs;
        return { startsAt, ...toTotals(byHour.get(startsAt)) };
      }),
    };
  });
}

const toTotals = (row: TotalsRow | undefined): CarbonTotals => ({
  tickets: row?.tickets ?? 0n,
  atp: row?.atp ?? 0n,
  energyMj: row?.energy_mj ?? 0n,
  co2Micrograms: row?.co2_micrograms ?? 0n,
  waterMicrolitres: row?.water_microlitres ?? 0n,
});

const hourStart = (at: number): number => Math.floor(at / hourMs) * hourMs;
