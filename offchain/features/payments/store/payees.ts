import type { Sql } from "#offchain/platform/database/database.ts";
import { channelUnit, payeeAccount } from "../rules/accounts.ts";

/** Payees looked at in one pass. */
const limit = 200;

/**
 * Payees for whom the contract holds what was claimed and not paid out.
 * @returns lower-case addresses, with how often their account has moved: it tells one payout from the next
 */
export async function unpaidPayees(
  sql: Sql,
  epochId: bigint,
): Promise<{ payee: `0x${string}`; entries: bigint }[]> {
  const prefix = payeeAccount(epochId, "");
  const rows = await sql<{ name: string; entries: bigint }[]>`
    SELECT name, entries FROM account
    WHERE unit = ${channelUnit} AND balance > 0 AND starts_with(name, ${prefix}) ORDER BY id LIMIT ${limit}`;
  return rows.map(({ name, entries }) => ({ payee: name.slice(prefix.length) as `0x${string}`, entries }));
}
