import { BursarError } from "#offchain/core/error.ts";
import type { Sql, Tx } from "../database/database.ts";
import type { Lease, LockKeeper } from "./lock.ts";

/** Locks kept by the database that all instances share. */
export function databaseKeeper(sql: Sql): LockKeeper {
  return {
    async take(name, holder, leaseMs) {
      const [row] = await sql<{ fence: bigint }[]>`
        INSERT INTO lock AS held (name, holder, fence, ends_at_us)
        SELECT ${name}, ${holder}, now_us, now_us + ${leaseMs * 1_000}::bigint
        FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us) AS clock
        ON CONFLICT (name) DO UPDATE
        SET holder = excluded.holder, fence = greatest(excluded.fence, held.fence + 1), ends_at_us = excluded.ends_at_us
        WHERE held.ends_at_us <= excluded.fence
        RETURNING fence`;
      return row?.fence ?? null;
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
      // The row stays: its token is what the next holder must exceed.
      await sql`UPDATE lock SET ends_at_us = 0 WHERE name = ${name} AND holder = ${holder}`;
    },
    async close() {},
  };
}

/**
 * Makes the transaction one that only the latest holder can commit: call it first. It waits for other transactions
 * under the same lock, so a holder that was thought dead and wakes up late is refused, whatever its clock says.
 * @throws BursarError LOCK_LOST when a later holder has written already.
 */
export async function checkFence(tx: Tx, { name, fence }: Pick<Lease, "name" | "fence">): Promise<void> {
  const written = await tx`
    INSERT INTO lock_fence (name, fence) VALUES (${name}, ${fence}::bigint)
    ON CONFLICT (name) DO UPDATE SET fence = excluded.fence WHERE lock_fence.fence <= excluded.fence
    RETURNING name`;
  if (written.length === 0)
    throw new BursarError("LOCK_LOST", `a later holder of lock ${name} has written already`, {
      facts: { name, fence },
    });
}
