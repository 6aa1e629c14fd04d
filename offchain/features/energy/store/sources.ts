import type { Tx } from "#offchain/platform/database/database.ts";
import type { CapacityKind } from "../rules/capacity.ts";
import type { RegisteredSource } from "../service.ts";

interface SourceRow {
  id: string;
  society_id: string;
  kind: CapacityKind;
  effective_microwatts: bigint;
  proven_at: bigint;
  lapses_at: bigint;
}

const toSource = (row: SourceRow): RegisteredSource => ({
  id: row.id,
  society: row.society_id,
  kind: row.kind,
  effectiveMicrowatts: row.effective_microwatts,
  provenAt: Number(row.proven_at),
  lapsesAt: Number(row.lapses_at),
});

/** The sources of societies, each by its newest proof. */
export async function sourcesOf(tx: Tx, societies: readonly string[]): Promise<RegisteredSource[]> {
  const rows = await tx<SourceRow[]>`
    SELECT s.id, s.society_id, s.kind, p.effective_microwatts, p.proven_at, p.lapses_at
    FROM energy_source s
    CROSS JOIN LATERAL (
      SELECT * FROM capacity_proof WHERE source_id = s.id ORDER BY proven_at DESC LIMIT 1
    ) p
    WHERE s.society_id = any(${[...societies]}::text[]) ORDER BY s.id`;
  return rows.map(toSource);
}

/** A source's newest proof, and whether it is just this one, filed by this society. @param written the proof as JSON */
export async function newestProof(
  tx: Tx,
  source: string,
  society: string,
  written: string,
): Promise<{ provenAt: number; isSame: boolean } | null> {
  const [newest] = await tx<{ proven_at: bigint; is_same: boolean }[]>`
    SELECT p.proven_at, p.proof = ${written}::text::jsonb AND s.society_id = ${society} AS is_same
    FROM capacity_proof p JOIN energy_source s ON s.id = p.source_id
    WHERE p.source_id = ${source} ORDER BY p.proven_at DESC LIMIT 1`;
  return newest ? { provenAt: Number(newest.proven_at), isSame: newest.is_same } : null;
}

/** Registers the source if it is new. @returns the society whose source it is */
export async function registerSource(
  tx: Tx,
  { id, society, kind }: RegisteredSource,
  now: number,
): Promise<string | null> {
  await tx`
    INSERT INTO energy_source (id, society_id, kind, registered_at)
    VALUES (${id}, ${society}, ${kind}, ${now}) ON CONFLICT (id) DO NOTHING`;
  const [registered] = await tx<
    { society_id: string }[]
  >`SELECT society_id FROM energy_source WHERE id = ${id}`;
  return registered?.society_id ?? null;
}

export async function insertProof(
  tx: Tx,
  source: RegisteredSource,
  written: string,
  now: number,
): Promise<void> {
  await tx`
    INSERT INTO capacity_proof (source_id, proven_at, lapses_at, effective_microwatts, proof, filed_at)
    VALUES (${source.id}, ${source.provenAt}, ${source.lapsesAt}, ${source.effectiveMicrowatts.toString()}::numeric,
      ${written}::text::jsonb, ${now})`;
}
