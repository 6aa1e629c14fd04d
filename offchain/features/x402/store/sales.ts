import { runsOf } from "#offchain/platform/chain/runStore.ts";
import { bytesOf, hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Sale, SaleAnswer, SaleState } from "../service.ts";

interface SaleRow {
  request: Uint8Array;
  content: Uint8Array;
  status: number | null;
  body: string | null;
  receipt: string | null;
  held_until: bigint;
}

/** What became of a sale so far; `running` while somebody holds it. */
export async function saleState(sql: Sql | Tx, runId: bigint, sale: Sale, now: number): Promise<SaleState> {
  const [row] = await sql<SaleRow[]>`
    SELECT request, content, status, body, receipt, held_until FROM x402_sale
    WHERE run_id = ${runId} AND payment = ${bytesOf(sale.payment.key)}`;
  if (!row) return { state: "new" };
  if (hexOf(row.request) !== sale.request || hexOf(row.content) !== sale.payment.content)
    return { state: "other" };
  const { status, body, receipt } = row;
  if (status !== null)
    return { state: "paid", answer: { status, body: body ?? "", receipt: JSON.parse(receipt ?? "{}") } };
  const retryAfterMs = Number(row.held_until) - now;
  return retryAfterMs > 0 ? { state: "running", retryAfterMs } : { state: "resumed" };
}

/** Holds a sale that nobody holds until `heldUntil`. @returns how it stood; `new` and `resumed` are held now */
export async function holdSale(
  sql: Sql,
  runId: bigint,
  sale: Sale,
  { now, heldUntil }: { now: number; heldUntil: number },
): Promise<SaleState> {
  const { key, content } = sale.payment;
  const state = await sql.begin(async (tx) => {
    // Whoever asks for one sale goes one after the other, also before there is a row to lock.
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`sale:${runId}:${key}`}, 0))`;
    const found = await saleState(tx, runId, sale, now);
    if (found.state !== "new" && found.state !== "resumed") return found;
    await tx`
      INSERT INTO x402_sale (run_id, payment, content, request, action, held_until, created_at, updated_at)
      VALUES (${runId}, ${bytesOf(key)}, ${bytesOf(content)}, ${bytesOf(sale.request)}, ${sale.action},
              ${heldUntil}, ${now}, ${now})
      ON CONFLICT (run_id, payment) DO UPDATE SET held_until = excluded.held_until, updated_at = excluded.updated_at`;
    return found;
  });
  return state as SaleState;
}

export async function renewHold(
  sql: Sql,
  runId: bigint,
  { payment }: Sale,
  heldUntil: number,
): Promise<void> {
  await sql`
    UPDATE x402_sale SET held_until = ${heldUntil}
    WHERE run_id = ${runId} AND payment = ${bytesOf(payment.key)} AND status IS NULL`;
}

/** Ends the hold at once; the sale stays, since it may have been paid. */
export async function endHold(sql: Sql, runId: bigint, { payment }: Sale, now: number): Promise<void> {
  await sql`
    UPDATE x402_sale SET held_until = 0, updated_at = ${now}
    WHERE run_id = ${runId} AND payment = ${bytesOf(payment.key)} AND status IS NULL`;
}

export async function saveAnswer(
  sql: Sql,
  runId: bigint,
  { payment }: Sale,
  { status, body, receipt }: SaleAnswer,
  now: number,
): Promise<void> {
  await sql`
    UPDATE x402_sale SET status = ${status}, body = ${body}, receipt = ${JSON.stringify(receipt)}, updated_at = ${now}
    WHERE run_id = ${runId} AND payment = ${bytesOf(payment.key)}`;
}

/** Nothing was paid: the sale never was. */
export async function deleteUnpaid(sql: Sql, runId: bigint, { payment }: Sale): Promise<void> {
  await sql`
    DELETE FROM x402_sale WHERE run_id = ${runId} AND payment = ${bytesOf(payment.key)} AND status IS NULL`;
}

/** Forgets the chain's sales that are older than anybody may ask for. @returns how many */
export async function forgetSales(sql: Sql, chainId: number, before: number): Promise<number> {
  const { count } = await sql`
    DELETE FROM x402_sale WHERE run_id IN ${runsOf(sql, chainId)} AND created_at < ${before}`;
  return count;
}
