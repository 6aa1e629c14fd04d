import type { RegisteredSource } from "#offchain/actions/energy/port.ts";
import {
  type CapacityKind,
  type CapacityProof,
  effectiveMicrowattsDown,
  lapsesAt,
  requireValidProof,
  sourceIdOf,
} from "#offchain/domain/capacity.ts";
import { BursarError } from "#offchain/domain/error.ts";
import type { Transaction } from "../database.ts";

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
export async function sourcesOf(tx: Transaction, societies: readonly string[]): Promise<RegisteredSource[]> {
  const rows = await tx<SourceRow[]>`
    select s.id, s.society_id, s.kind, p.effective_microwatts, p.proven_at, p.lapses_at
    from energy_sources s
    cross join lateral (
      select * from energy_proofs where source_id = s.id order by proven_at desc limit 1
    ) p
    where s.society_id = any(${[...societies]}::text[]) order by s.id`;
  return rows.map(toSource);
}

/**
 * Files a proof. The same proof again changes nothing.
 * @throws BursarError SOURCE_TAKEN by another society; CAPACITY_PROOF_INVALID, also when one as new is on file.
 */
export async function fileProof(
  tx: Transaction,
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
    select p.proven_at, p.proof = ${written}::text::jsonb and s.society_id = ${society} as is_same
    from energy_proofs p join energy_sources s on s.id = p.source_id
    where p.source_id = ${source.id} order by p.proven_at desc limit 1`;
  if (newest?.is_same) return { source, replayed: true };
  requireValidProof(proof, now);
  await claimSource(tx, source, now);
  if (newest && Number(newest.proven_at) >= proof.provenAt)
    throw notNewer(source.id, proof.provenAt, Number(newest.proven_at));
  await tx`
    insert into energy_proofs (source_id, proven_at, lapses_at, effective_microwatts, proof, filed_at)
    values (${source.id}, ${proof.provenAt}, ${source.lapsesAt}, ${source.effectiveMicrowatts.toString()}::numeric,
      ${written}::text::jsonb, ${now})`;
  return { source, replayed: false };
}

/** Registers the source, or finds that it is the society's already. @throws BursarError SOURCE_TAKEN. */
async function claimSource(
  tx: Transaction,
  { id, society, kind }: RegisteredSource,
  now: number,
): Promise<void> {
  await tx`
    insert into energy_sources (id, society_id, kind, registered_at)
    values (${id}, ${society}, ${kind}, ${now}) on conflict (id) do nothing`;
  const [registered] = await tx<
    { society_id: string }[]
  >`select society_id from energy_sources where id = ${id}`;
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
