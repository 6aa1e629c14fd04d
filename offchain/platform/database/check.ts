import type { HealthCheck } from "../observe/health.ts";
import type { Sql } from "./sql.ts";

/** Its part of `/health`: whether the database answers. */
export const databaseCheck =
  (sql: Sql): HealthCheck =>
  async () => {
    await sql`SELECT 1`;
    return {};
  };

/** The database's own time, epoch ms. */
export async function databaseTime(sql: Sql): Promise<number> {
  const [row] = await sql<
    { at: number }[]
  >`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at`;
  if (!row) throw new Error("the database does not know the time");
  return row.at;
}
