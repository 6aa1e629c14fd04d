import type { HealthCheck } from "../observe/health.ts";
import type { Sql } from "./sql.ts";

/** Its part of `/health`: whether the database answers. */
export const databaseCheck =
  (sql: Sql): HealthCheck =>
  async () => {
    await sql`SELECT 1`;
    return {};
  };
