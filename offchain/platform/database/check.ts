import type { HealthCheck } from "../observe/health.ts";
import { shortageOfLast } from "./driver/errors.ts";
import type { Sql } from "./sql.ts";

/** How long a shortage is shown after the last statement that met it. */
const shownMs = 30_000;

/** Its part of `/health`: whether the database answers, and whether it has run short of disk, memory or connections. */
export const databaseCheck =
  (sql: Sql): HealthCheck =>
  async () => {
    await sql`SELECT 1`;
    const shortage = shortageOfLast(shownMs);
    return shortage === null ? {} : { status: "degraded", detail: { shortage } };
  };

/** The database's own time, epoch ms. */
export async function databaseTime(sql: Sql): Promise<number> {
  const [row] = await sql<
    { at: number }[]
  >`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at`;
  if (!row) throw new Error("the database does not know the time");
  return row.at;
}
