import type { Sql } from "../database/database.ts";
import type { LockKeeper } from "./lock.ts";

/** Locks kept by the database that all instances share. */
export function databaseKeeper(sql: Sql): LockKeeper {
  return {
    async take(name, holder, leaseMs) {
      const leaseUs = leaseMs * 1_000;
      const rows = await sql`
        INSERT INTO lock AS held (name, holder, ends_at_us)
        SELECT ${name}, ${holder}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + ${leaseUs}::bigint
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, ends_at_us = excluded.ends_at_us
        WHERE held.ends_at_us <= excluded.ends_at_us - ${leaseUs}::bigint
        RETURNING name`;
      return rows.length > 0;
    },
    async renew(name, holder, leaseMs) {
      const rows = await sql`
        UPDATE lock SET ends_at_us = now_us + ${leaseMs * 1_000}::bigint
        FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us) AS clock
        WHERE name = ${name} AND holder = ${holder} AND ends_at_us > now_us
        RETURNING name`;
      return rows.length > 0;
    },
    async drop(name, holder) {
      await sql`UPDATE lock SET ends_at_us = 0 WHERE name = ${name} AND holder = ${holder}`;
    },
    async close() {},
  };
}
