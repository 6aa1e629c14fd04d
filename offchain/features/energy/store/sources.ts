import { BursarError } from "#offchain/core/error.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import {
  type CapacityKind,
  type CapacityProof,
  effectiveMicrowattsDown,
  lapsesAt,
  requireValidProof,
  sourceIdOf,
} from "../rules/capacity.ts";
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

/**
 * Files a proof. The same proof again changes nothing.
 * @throws BursarError SOURCE_TAKEN by another society; CAPACITY_PROOF_INVALID, also when one as new is on file.
 */
export async function fileProof(
  tx: Tx,
  society: string,
  proof: CapacityProof,
  now: number,
): Promise<{ source: RegisteredSource; replayed: boolean }> {
  const source: RegisteredSource = {
    id: sourceIdOf(proof),
    society,
    kind: proof.kind,
    effectiveMicrowatts: effectiveMicrowattsDown(proof),
    provenAt: proof.provenAt,
    lapsesAt: lapsesAt(proof),
  };
  const written = JSON.stringify(proof, (_, value) => (typeof value === "bigint" ? value.toString() : value));
  const [newest] = await tx<{ proven_at: bigint; is_same: boolean }[]>`
    SELECT p.proven_at, p.proof = ${written}::text::jsonb AND s.society_id = ${society} AS is_same
    FROM capacity_proof p JOIN energy_source s ON s.id = p.source_id
    WHERE p.source_id = ${source.id} ORDER BY p.proven_at DESC LIMIT 1`;
  if (newest?.is_same) return { source, replayed: true };
  requireValidProof(proof, now);
  await claimSource(tx, source, now);
  if (newest && Number(newest.proven_at) >= proof.provenAt)
    throw notNewer(source.id, proof.provenAt, Number(newest.proven_at));
  await tx`
    INSERT INTO capacity_proof (source_id, proven_at, lapses_at, effective_microwatts, proof, filed_at)
    VALUES (${source.id}, ${proof.provenAt}, ${source.lapsesAt}, ${source.effectiveMicrowatts.toString()}::numeric,
      ${written}::text::jsonb, ${now})`;
  return { source, replayed: false };
}

/** Registers the source, or finds that it is the society's already. @throws BursarError SOURCE_TAKEN. */
async function claimSource(tx: Tx, { id, society, kind }: RegisteredSource, now: number): Promise<void> {
  await tx`
    INSERT INTO energy_source (id, society_id, kind, registered_at)
    VALUES (${id}, ${society}, ${kind}, ${now}) ON CONFLICT (id) DO NOTHING`;
  const [registered] = await tx<
    { society_id: string }[]
  >`SELECT society_id FROM energy_source WHERE id = ${id}`;
  if (registered?.society_id !== society)
    throw new BursarError("SOURCE_TAKEN", "this source already backs another society", {
      facts: { source: id, society },
    });
}

function notNewer(source: string, provenAt: number, newestAt: number): BursarError {
  return new BursarError("CAPACITY_PROOF_INVALID", "a proof that is as new is on file for this source", {
    facts: { source, provenAt, newestAt },
    fields: [{ field: "provenAt", message: `must be later than ${newestAt}`, value: provenAt }],
  });
}
