import { BursarError } from "#offchain/core/error.ts";
import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { AdpIssue, Society } from "../service.ts";

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
export async function lockSocieties(tx: Tx, ids: readonly string[]): Promise<Map<string, Society>> {
  const rows = await tx<SocietyRow[]>`
    SELECT id, owner, created_at FROM society
    WHERE id = any(${[...new Set(ids)]}::text[]) ORDER BY id FOR NO KEY UPDATE`;
  return new Map(rows.map((row) => [row.id, toSociety(row)]));
}

/** @throws BursarError SOCIETY_UNKNOWN. */
export async function lockSociety(tx: Tx, id: string): Promise<Society> {
  const society = (await lockSocieties(tx, [id])).get(id);
  if (!society) throw unknownSociety(id);
  return society;
}

export const unknownSociety = (id: string): BursarError =>
  new BursarError("SOCIETY_UNKNOWN", `no energy society ${id}`, { facts: { society: id } });

export async function findSocieties(
  tx: Tx,
  query: { society?: string; after?: string; limit: number },
): Promise<Society[]> {
  const rows = await tx<SocietyRow[]>`
    SELECT id, owner, created_at FROM society
    WHERE (${query.society ?? null}::text IS NULL OR id = ${query.society ?? null})
      AND id > ${query.after ?? ""}
    ORDER BY id LIMIT ${query.limit}`;
  return rows.map(toSociety);
}

/** The society of an issue: opened if it is new. @throws BursarError FORBIDDEN when the issue names another owner. */
export async function openSociety(tx: Tx, issue: AdpIssue, now: number): Promise<Society> {
  await tx`
    INSERT INTO society (id, owner, created_at)
    VALUES (${issue.society}, ${issue.owner && bytesOf(issue.owner)}, ${now})
    ON CONFLICT (id) DO NOTHING`;
  const society = await lockSociety(tx, issue.society);
  if (issue.owner && issue.owner !== society.owner)
    throw new BursarError("FORBIDDEN", "the society has another owner", {
      facts: { society: society.id, owner: society.owner, got: issue.owner },
    });
  return society;
}

/** Whether the issue is new. @throws BursarError IDEMPOTENCY_CONFLICT. */
export async function recordIssue(tx: Tx, issue: AdpIssue, now: number): Promise<boolean> {
  const [inserted] = await tx`
    INSERT INTO adp_issue (society_id, key, owner, amount, issued_at)
    VALUES (${issue.society}, ${issue.key}, ${issue.owner && bytesOf(issue.owner)},
      ${issue.amount.toString()}::numeric, ${now})
    ON CONFLICT DO NOTHING RETURNING key`;
  if (inserted) return true;
  const [before] = await tx<{ amount: bigint; owner: Uint8Array | null }[]>`
    SELECT amount, owner FROM adp_issue WHERE society_id = ${issue.society} AND key = ${issue.key}`;
  if (before?.amount !== issue.amount || (before.owner && addressOf(before.owner)) !== issue.owner)
    throw keyReused(issue.society, issue.key);
  return false;
}

export const keyReused = (society: string, key: string): BursarError =>
  new BursarError("IDEMPOTENCY_CONFLICT", "this key was used for another request; choose a new one", {
    facts: { society, key },
  });
