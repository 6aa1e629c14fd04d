import { addressOf, bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";

/** That a spender was given a budget in a token. */
export interface BudgetHolder {
  readonly runId: bigint;
  readonly treasury: string;
  readonly spender: string;
  readonly token: string;
  readonly transaction: string;
}

/** A budget is set anew by the same event: the first one tells of the holder. */
export async function saveBudgetHolder(
  tx: Tx,
  { runId, treasury, spender, token, transaction }: BudgetHolder,
): Promise<void> {
  await tx`
    INSERT INTO treasury_budget (run_id, treasury, spender, token, transaction_hash)
    VALUES (${runId}, ${bytesOf(treasury)}, ${bytesOf(spender)}, ${bytesOf(token)}, ${bytesOf(transaction)})
    ON CONFLICT DO NOTHING`;
}

/** Takes `saveBudgetHolder` back. */
export async function deleteBudgetHolder(
  tx: Tx,
  { runId, treasury, spender, token, transaction }: BudgetHolder,
): Promise<void> {
  await tx`
    DELETE FROM treasury_budget
    WHERE run_id = ${runId} AND treasury = ${bytesOf(treasury)} AND spender = ${bytesOf(spender)}
      AND token = ${bytesOf(token)} AND transaction_hash = ${bytesOf(transaction)}`;
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
