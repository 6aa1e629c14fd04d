import { randomUUID } from "node:crypto";
import type { Sql } from "#offchain/platform/database/database.ts";

/**
 * The same work as it is commonly written: every step one function call that is one transaction, rows locked in order.
 * Same tables, indexes and triggers; one round trip each. With the hash chain, a post waits for the one before it; without
 * it less is done than the ledger does, and it is the faster of the two.
 */
const functions = `
  CREATE SEQUENCE IF NOT EXISTS bench_transfer START 1000000000000;
  CREATE OR REPLACE FUNCTION bench_hold(k uuid, payer bigint, payee bigint, what numeric, at bigint) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE p account; id bigint := nextval('bench_transfer');
  BEGIN
    INSERT INTO ledger_key VALUES (k, k, id, at);
    PERFORM FROM account a WHERE a.id IN (payer, payee) ORDER BY a.id FOR NO KEY UPDATE;
    SELECT * INTO p FROM account a WHERE a.id = payer;
    IF p.balance - p.pending < what OR p.suspended_at IS NOT NULL OR what > p.limit_transaction
       OR p.spent_hourly + what > p.limit_hourly OR p.spent_daily + what > p.limit_daily
       OR p.spent_weekly + what > p.limit_weekly OR p.spent_monthly + what > p.limit_monthly
    THEN RAISE EXCEPTION 'refused'; END IF;
    UPDATE account a SET pending = pending + CASE a.id WHEN payer THEN what ELSE 0 END,
      incoming = incoming + CASE a.id WHEN payee THEN what ELSE 0 END,
      spent_hourly = spent_hourly + CASE a.id WHEN payer THEN what ELSE 0 END,
      spent_daily = spent_daily + CASE a.id WHEN payer THEN what ELSE 0 END,
      spent_weekly = spent_weekly + CASE a.id WHEN payer THEN what ELSE 0 END,
      spent_monthly = spent_monthly + CASE a.id WHEN payer THEN what ELSE 0 END, charged_at = at
    WHERE a.id IN (payer, payee);
    INSERT INTO transfer (id, key, unit, debit, credit, amount, created_at, expires_at)
    VALUES (id, k, 'USDC', payer, payee, what, at, at + 3600000);
    RETURN id;
  END $$;
  CREATE OR REPLACE FUNCTION bench_post(k uuid, of bigint, at bigint, chained boolean) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE t transfer; d account; c account; head journal_head;
  BEGIN
    INSERT INTO ledger_key VALUES (k, k, of, at);
    SELECT * INTO t FROM transfer WHERE id = of;
    IF t.expires_at < at THEN RAISE EXCEPTION 'expired'; END IF;
    PERFORM FROM account a WHERE a.id IN (t.debit, t.credit) ORDER BY a.id FOR NO KEY UPDATE;
    UPDATE account a SET entries = entries + 1,
      balance = balance + CASE a.id WHEN t.debit THEN -t.amount ELSE t.amount END,
      pending = pending - CASE a.id WHEN t.debit THEN t.amount ELSE 0 END,
      incoming = incoming - CASE a.id WHEN t.credit THEN t.amount ELSE 0 END
    WHERE a.id IN (t.debit, t.credit);
    SELECT * INTO d FROM account WHERE id = t.debit;
    SELECT * INTO c FROM account WHERE id = t.credit;
    IF chained THEN
      SELECT * INTO head FROM journal_head WHERE unit = t.unit FOR UPDATE;
      head.height := head.height + 1;
      head.hash := sha256(head.hash || convert_to(concat_ws('|', head.height, of, t.unit, t.debit, t.credit, t.amount,
        d.entries, d.balance, c.entries, c.balance, at, t.reference, t.memo, t.metadata), 'UTF8'));
      UPDATE journal_head SET height = head.height, hash = head.hash WHERE unit = t.unit;
    END IF;
    INSERT INTO journal VALUES (of, t.unit, coalesce(head.height, 0), t.debit, t.credit, t.amount, d.entries, d.balance,
      c.entries, c.balance, at, coalesce(head.hash, ''));
  END $$;`;

/** Two-phase transfers per second. Works on the bench's own accounts and leaves the ledger's head as it is. */
export async function oneAtATime(
  sql: Sql,
  { clients, durationMs, isChained }: { clients: number; durationMs: number; isChained: boolean },
): Promise<{ perSecond: number; transfers: number }> {
  await sql.unsafe(functions);
  const ids = (await sql<{ id: bigint }[]>`SELECT id FROM account WHERE NOT external`).map(({ id }) => id);
  const endsAt = performance.now() + durationMs;
  let count = 0;
  const pick = () => Math.floor(Math.random() * ids.length);
  const client = async () => {
    while (performance.now() < endsAt) {
      const from = pick();
      const to = (from + 1 + (pick() % (ids.length - 1))) % ids.length;
      const amount = 1 + Math.floor(Math.random() * 1_000);
      const [held] = await sql<{ id: bigint }[]>`
        SELECT bench_hold(${randomUUID()}, ${ids[from] ?? 0n}, ${ids[to] ?? 1n}, ${amount}, ${Date.now()}) AS id`;
      await sql`SELECT bench_post(${randomUUID()}, ${held?.id ?? 0n}, ${Date.now()}, ${isChained})`;
      count += 1;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: clients }, client));
  const perSecond = (count * 1_000) / (performance.now() - startedAt);
  // The accounts moved behind the ledger's back: whoever remembers them must look again.
  await sql`UPDATE ledger_head SET version = version + 1`;
  return { perSecond, transfers: count };
}
