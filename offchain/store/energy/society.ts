import type { AdpIssue, Society } from "#offchain/actions/energy/port.ts";
import { BursarError } from "#offchain/domain/error.ts";
import type { Transaction } from "../database.ts";
import { addressOf, hexOf } from "./address.ts";

interface SocietyRow {
  id: string;
  owner: Uint8Array | null;
  created_at: bigint;
}

const toSociety = (row: SocietyRow): Society => ({
  id: row.id,
  owner: row.owner && addressOf(row.owner),
  createdAt: Number(row.created_at),
});

/**
 * Locks societies until the transaction ends, in the order of their ids, so that no two transactions wait for each other.
 * Whatever changes a pool holds this lock first; the ledger's own locks come after it.
 */
export async function lockSocieties(tx: Transaction, ids: readonly string[]): Promise<Map<string, Society>> {
  const rows = await tx<SocietyRow[]>`
    select id, owner, created_at from energy_societies
    where id = any(${[...new Set(ids)]}::text[]) order by id for no key update`;
  return new Map(rows.map((row) => [row.id, toSociety(row)]));
}

/** @throws BursarError SOCIETY_UNKNOWN. */
export async function lockSociety(tx: Transaction, id: string): Promise<Society> {
  const society = (await lockSocieties(tx, [id])).get(id);
  if (!society) throw unknownSociety(id);
  return society;
}

export const unknownSociety = (id: string): BursarError =>
  new BursarError("SOCIETY_UNKNOWN", `no energy society ${id}`, { facts: { society: id } });

export async function findSocieties(
  tx: Transaction,
  query: { society?: string; after?: string; limit: number },
): Promise<Society[]> {
  const rows = await tx<SocietyRow[]>`
    select id, owner, created_at from energy_societies
    where (${query.society ?? null}::text is null or id = ${query.society ?? null})
      and id > ${query.after ?? ""}
    order by id limit ${query.limit}`;
  return rows.map(toSociety);
}

/** The society of an issue: opened if it is new. @throws BursarError FORBIDDEN when the issue names another owner. */
export async function openSociety(tx: Transaction, issue: AdpIssue, now: number): Promise<Society> {
  await tx`
    insert into energy_societies (id, owner, created_at)
    values (${issue.society}, decode(${issue.owner && hexOf(issue.owner)}::text, 'hex'), ${now})
    on conflict (id) do nothing`;
  const society = await lockSociety(tx, issue.society);
  if (issue.owner && issue.owner !== society.owner)
    throw new BursarError("FORBIDDEN", "the society has another owner", {
      facts: { society: society.id, owner: society.owner, got: issue.owner },
    });
  return society;
}

/** Whether the issue is new. @throws BursarError IDEMPOTENCY_CONFLICT. */
export async function recordIssue(tx: Transaction, issue: AdpIssue, now: number): Promise<boolean> {
  const [inserted] = await tx`
    insert into energy_issues (society_id, key, owner, amount, issued_at)
    values (${issue.society}, ${issue.key}, decode(${issue.owner && hexOf(issue.owner)}::text, 'hex'),
      ${issue.amount.toString()}::numeric, ${now})
    on conflict do nothing returning key`;
  if (inserted) return true;
  const [before] = await tx<{ amount: bigint; owner: Uint8Array | null }[]>`
    select amount, owner from energy_issues where society_id = ${issue.society} and key = ${issue.key}`;
  if (before?.amount !== issue.amount || (before.owner && addressOf(before.owner)) !== issue.owner)
    throw keyReused(issue.society, issue.key);
  return false;
}

export const keyReused = (society: string, key: string): BursarError =>
  new BursarError("IDEMPOTENCY_CONFLICT", "this key was used for another request; choose a new one", {
    facts: { society, key },
  });
