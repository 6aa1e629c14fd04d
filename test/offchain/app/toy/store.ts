import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Greeting } from "./service.ts";

/** The same words of the same greeter are one greeting. */
export const save = async (sql: Sql | Tx, chainId: number, { by, words }: Greeting): Promise<void> =>
  void (await sql`
    INSERT INTO greeting (chain_id, by, words) VALUES (${chainId}, ${by}, ${words}) ON CONFLICT DO NOTHING`);

export const drop = async (tx: Tx, chainId: number, { by, words }: Greeting): Promise<void> =>
  void (await tx`DELETE FROM greeting WHERE chain_id = ${chainId} AND by = ${by} AND words = ${words}`);

export const all = (sql: Sql, chainId: number): Promise<Greeting[]> =>
  sql<Greeting[]>`SELECT by, words FROM greeting WHERE chain_id = ${chainId} ORDER BY id`.then((rows) => [
    ...rows,
  ]);
