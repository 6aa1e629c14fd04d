import type { Sql, Tx } from "../database/database.ts";

/**
 * The runs of a chain, for `run_id IN …`: what its earlier runs left is the chain's still, and the rows of other chains
 * are not.
 */
export const runsOf = (sql: Sql | Tx, chainId: number) =>
  sql`(SELECT id FROM chain_run WHERE chain_id = ${chainId})`;

/** The chain's current run, for `run_id = …`; null before the chain is met. */
export const currentRunOf = (sql: Sql | Tx, chainId: number) =>
  sql`(SELECT id FROM chain_run WHERE chain_id = ${chainId} AND ended_at IS NULL)`;
