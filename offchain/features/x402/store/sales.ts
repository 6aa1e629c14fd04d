import { runsOf } from "#offchain/platform/chain/runStore.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { LeasedSale, Sale, SaleAnswer, SaleState } from "../service.ts";

interface SaleRow {
  request: Uint8Array;
  content: Uint8Array;
  status: number | null;
  body: string | null;
  receipt: string | null;
  leased_until: bigint;
}

/** What became of a sale so far; `running` while somebody has its lease. */
export async function saleState(sql: Sql | Tx, runId: bigint, sale: Sale, now: number): Promise<SaleState> {
  const [row] = await sql<SaleRow[]>`
    SELECT request, content, status, body, receipt, leased_until FROM x402_sale
    WHERE run_id = ${runId} AND payment = ${bytesOf(sale.payment.key)}`;
  if (!row) return { state: "new" };
  if (hexOf(row.request) !== sale.request || hexOf(row.content) !== sale.payment.content)
    return { state: "other" };
  const { status, body, receipt } = row;
  if (status !== null)
    return { state: "paid", answer: { status, body: body ?? "", receipt: JSON.parse(receipt ?? "{}") } };
  const retryAfterMs = Number(row.leased_until) - now;
  return retryAfterMs > 0 ? { state: "running", retryAfterMs } : { state: "resumed" };
}

/** Leases a sale that nobody has leased until `leasedUntil`. @returns how it stood; `new` and `resumed` are leased now */
export async function leaseSale(
  sql: Sql,
  runId: bigint,
  sale: LeasedSale,
  { now, leasedUntil }: { now: number; leasedUntil: number },
): Promise<SaleState> {
  const { key, content } = sale.payment;
  return sql.begin(async (tx) => {
    // Whoever asks for one sale goes one after the other, also before there is a row to lock.
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`sale:${runId}:${key}`}, 0))`;
    const found = await saleState(tx, runId, sale, now);
    if (found.state !== "new" && found.state !== "resumed") return found;
    await tx`
      INSERT INTO x402_sale (run_id, payment, content, request, action, holder, leased_until, created_at, updated_at)
      VALUES (${runId}, ${bytesOf(key)}, ${bytesOf(content)}, ${bytesOf(sale.request)}, ${sale.action},
              ${sale.holder}, ${leasedUntil}, ${now}, ${now})
      ON CONFLICT (run_id, payment) DO UPDATE SET
        holder = excluded.holder, leased_until = excluded.leased_until, updated_at = excluded.updated_at`;
    return found;
  });
}

const leasedBy = (sql: Sql, runId: bigint, { payment, holder }: LeasedSale) => sql`
  x402_sale.run_id = ${runId} AND x402_sale.payment = ${bytesOf(payment.key)}
  AND x402_sale.holder = ${holder} AND x402_sale.status IS NULL`;

export async function renewLease(
  sql: Sql,
  runId: bigint,
  sale: LeasedSale,
  leasedUntil: number,
): Promise<void> {
  await sql`UPDATE x402_sale SET leased_until = ${leasedUntil} WHERE ${leasedBy(sql, runId, sale)}`;
}

/** Ends the lease at once; the sale stays, since it may have been paid. */
export async function endLease(sql: Sql, runId: bigint, sale: LeasedSale, now: number): Promise<void> {
  await sql`
    UPDATE x402_sale SET leased_until = 0, holder = NULL, updated_at = ${now} WHERE ${leasedBy(sql, runId, sale)}`;
}

/** @returns whether the answer stands: not when another holder has taken over, and has not dropped the sale since */
export async function saveAnswer(
  sql: Sql,
  runId: bigint,
  sale: LeasedSale,
  { status, body, receipt }: SaleAnswer,
  now: number,
): Promise<boolean> {
  const { key, content } = sale.payment;
  const { count } = await sql`
    INSERT INTO x402_sale
      (run_id, payment, content, request, action, holder, leased_until, created_at, updated_at, status, body, receipt)
    VALUES (${runId}, ${bytesOf(key)}, ${bytesOf(content)}, ${bytesOf(sale.request)}, ${sale.action}, ${sale.holder},
            0, ${now}, ${now}, ${status}, ${body}, ${JSON.stringify(receipt)})
    ON CONFLICT (run_id, payment) DO UPDATE SET
      status = excluded.status, body = excluded.body, receipt = excluded.receipt, updated_at = excluded.updated_at
    WHERE ${leasedBy(sql, runId, sale)}`;
  return count === 1;
}

/**
 * Nothing was paid: the sale never was. While a transaction that pays it is stored, it may be mined still, whatever
 * became of this request: then the sale stays.
 * @returns whether it is gone
 */
export async function deleteUnpaid(sql: Sql, runId: bigint, sale: LeasedSale): Promise<boolean> {
  const { count } = await sql`
    DELETE FROM x402_sale WHERE ${leasedBy(sql, runId, sale)} AND NOT EXISTS (
      SELECT FROM x402_settlement s WHERE s.run_id = x402_sale.run_id AND s.key = x402_sale.payment
        AND (s.outcome IS NULL OR s.outcome ->> 'success' = 'true'))`;
  return count === 1;
}

/** Forgets the chain's sales that are older than anybody may ask for. @returns how many */
export async function forgetSales(sql: Sql, chainId: number, before: number): Promise<number> {
  const { count } = await sql`
    DELETE FROM x402_sale WHERE run_id IN ${runsOf(sql, chainId)} AND created_at < ${before}`;
  return count;
}
