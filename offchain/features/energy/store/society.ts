import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Tx } from "#offchain/platform/database/database.ts";
import type { AdpIssue, Society } from "../rules/society.ts";

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

/** Opens the society of an issue if it is new. */
export async function insertSociety(tx: Tx, issue: AdpIssue, now: number): Promise<void> {
  await tx`
    INSERT INTO society (id, owner, created_at)
    VALUES (${issue.society}, ${issue.owner && bytesOf(issue.owner)}, ${now})
    ON CONFLICT (id) DO NOTHING`;
}

/** Whether the issue is new: its key was not used before. */
export async function insertIssue(tx: Tx, issue: AdpIssue, now: number): Promise<boolean> {
  const [inserted] = await tx`
    INSERT INTO adp_issue (society_id, key, owner, amount, issued_at)
    VALUES (${issue.society}, ${issue.key}, ${issue.owner && bytesOf(issue.owner)},
      ${issue.amount.toString()}::numeric, ${now})
    ON CONFLICT DO NOTHING RETURNING key`;
  return inserted !== undefined;
}

/** What was issued with this key. */
export async function findIssue(
  tx: Tx,
  { society, key }: AdpIssue,
): Promise<Pick<AdpIssue, "amount" | "owner"> | null> {
  const [row] = await tx<{ amount: bigint; owner: Uint8Array | null }[]>`
    SELECT amount, owner FROM adp_issue WHERE society_id = ${society} AND key = ${key}`;
  return row ? { amount: row.amount, owner: row.owner && addressOf(row.owner) } : null;
}
