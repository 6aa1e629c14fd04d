import type { Sql } from "#offchain/platform/database/database.ts";

/** Forgets idempotency keys used before then, epoch ms: they may be used anew. How many there were. */
export async function forgetKeys(sql: Sql, before: number, now: number): Promise<number> {
  return sql.begin(async (tx) => {
    const { count } = await tx`DELETE FROM ledger_key WHERE used_at < ${before}`;
    // Whoever remembers keys must look again.
    if (count > 0) {
      await tx`SELECT ledger_take()`;
      await tx`UPDATE ledger_head SET version = version + 1, keys_after = greatest(keys_after, ${before}::bigint)`;
      await tx`SELECT ledger_note('keys', keys_after::text, ${now}) FROM ledger_head`;
    }
    return count;
  });
}
