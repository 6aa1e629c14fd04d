import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

export async function saveBudgetHolder(
  tx: Tx,
  runId: bigint,
  treasury: string,
  spender: string,
  token: string,
): Promise<void> {
  await tx`
    INSERT INTO treasury_budget (run_id, treasury, spender, token) VALUES (${runId}, ${bytesOf(treasury)}, ${bytesOf(spender)}, ${bytesOf(token)})
    ON CONFLICT DO NOTHING`;
}

export async function budgetHolders(
  sql: Sql,
  runId: bigint,
  treasury: string,
): Promise<{ spender: `0x${string}`; token: `0x${string}` }[]> {
  const rows = await sql<{ spender: Uint8Array; token: Uint8Array }[]>`
    SELECT spender, token FROM treasury_budget WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} ORDER BY spender, token`;
  return rows.map(({ spender, token }) => ({ spender: addressOf(spender), token: addressOf(token) }));
}
