import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { payeeAccount } from "../rules/accounts.ts";

/**
 * Payees for whom the contract holds what was claimed and not paid out, behind the account `after`.
 * @returns lower-case addresses, with how often their account has moved: it tells one payout from the next
 */
export async function unpaidPayees(
  sql: Sql,
  runId: bigint,
  units: readonly UnitCode[],
  { after, limit }: { after: bigint; limit: number },
): Promise<{ id: bigint; payee: `0x${string}`; unit: UnitCode; entries: bigint }[]> {
  const prefix = payeeAccount(runId, "");
  const rows = await sql<{ id: bigint; name: string; unit: UnitCode; entries: bigint }[]>`
    SELECT id, name, unit, entries FROM account
    WHERE unit = ANY(${[...units]}::text[]) AND balance > 0 AND starts_with(name, ${prefix})
      AND id > ${after} ORDER BY id LIMIT ${limit}`;
  return rows.map(({ name, ...row }) => ({ payee: name.slice(prefix.length) as `0x${string}`, ...row }));
}
