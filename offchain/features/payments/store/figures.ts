import type { UnitCode } from "#offchain/core/unit.ts";
import { runsOf } from "#offchain/platform/chain/runStore.ts";
import { gasUsedFor } from "#offchain/platform/chain/sender/transactionStore.ts";
import { addressOf, bytesOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { channelAccount } from "../rules/accounts.ts";
import { purposes } from "../rules/purposes.ts";
import type { BatchFigures, Figures, PartyFigures, PaymentFigures } from "../service.ts";
import { refusedOf } from "./refusals.ts";

/** Sums of a chain's payments, for pages. @param runId the chain's current run */
export const openFigures = (sql: Sql, chainId: number, runId: () => bigint): Figures => ({
  payments: async () => paymentFigures(sql, runId()),
  batches: async () => batchFigures(sql, runId()),
  parties: async (addresses) => partyFigures(sql, runId(), addresses),
  channelAccounts: async (payers) => channelAccounts(sql, runId(), payers),
  recentBatches: (limit) => recentBatches(sql, chainId, limit),
});

/**
 * What was accepted in the chain's run: what an earlier one had is written off. Batches that are over are counted by their
 * sums; only what is under way or refused is looked at one by one.
 */
export async function paymentFigures(sql: Sql, runId: bigint): Promise<PaymentFigures> {
  const [row] = await sql<Omit<PaymentFigures, "values">[]>`
    WITH refused AS (
      SELECT r.batch_id, count(*)::int AS payments FROM ${refusedOf(sql, null)} JOIN channel c ON c.id = r.channel
      JOIN payment p ON p.batch_id = r.batch_id AND p.channel = r.channel AND p.cumulative > c.claimed
      WHERE c.run_id = ${runId} GROUP BY r.batch_id
    ), claimed AS (
      SELECT p.batch_id, count(*)::int AS payments FROM batch b JOIN payment p ON p.batch_id = b.id
      JOIN channel c ON c.id = p.channel AND p.cumulative <= c.claimed
      WHERE b.run_id = ${runId} AND b.state IN ('open', 'closed', 'submitted') GROUP BY p.batch_id
    ), going_on AS (
      SELECT sum(b.payments) AS payments, sum(r.payments) AS refused, sum(k.payments) AS claimed
      FROM batch b LEFT JOIN refused r ON r.batch_id = b.id LEFT JOIN claimed k ON k.batch_id = b.id
      WHERE b.run_id = ${runId} AND b.state IN ('open', 'closed', 'submitted')
    ), ended AS (
      SELECT sum(payments) AS payments, sum(payments) FILTER (WHERE state = 'settled') AS settled
      FROM batch_sum WHERE run_id = ${runId}
    ), settled AS (
      SELECT sum(r.payments) AS refused FROM refused r JOIN batch b ON b.id = r.batch_id AND b.state = 'settled'
    )
    SELECT (coalesce(o.payments, 0) + coalesce(g.payments, 0))::int AS total,
           (coalesce(g.payments, 0) - coalesce(g.claimed, 0) - coalesce(g.refused, 0))::int AS pending,
           (coalesce(o.settled, 0) - coalesce(s.refused, 0) + coalesce(g.claimed, 0))::int AS settled,
           ${parties(sql, runId, "payer")} AS payers, ${parties(sql, runId, "payee")} AS payees
    FROM going_on g, ended o, settled s`;
  const counted = row ?? { total: 0, pending: 0, settled: 0, payers: 0, payees: 0 };
  return { ...counted, values: await valuesByUnit(sql, runId) };
}

/** How many pay or are paid: the greatest of their numbers. Whoever is paid directly and by a cleared channel is one. */
const parties = (sql: Sql, runId: bigint, role: "payer" | "payee") => sql`
  (SELECT coalesce(max(number), 0)::int FROM payment_party WHERE run_id = ${runId} AND role = ${role})`;

async function valuesByUnit(sql: Sql, runId: bigint): Promise<Map<UnitCode, bigint>> {
  const rows = await sql<{ unit: UnitCode; value: bigint }[]>`
    SELECT unit, sum(value)::numeric(38,0) AS value FROM (
      SELECT unit, value FROM batch WHERE run_id = ${runId} AND state IN ('open', 'closed', 'submitted')
      UNION ALL SELECT unit, value FROM batch_sum WHERE run_id = ${runId}
    ) AS batches GROUP BY unit ORDER BY unit`;
  return new Map(rows.map(({ unit, value }) => [unit, value]));
}

/** Of one run of the chain. */
async function batchFigures(sql: Sql, runId: bigint): Promise<BatchFigures> {
  const [row] = await sql<{ settled: number }[]>`
    SELECT coalesce(sum(batches), 0)::int AS settled FROM batch_sum WHERE run_id = ${runId} AND state = 'settled'`;
  const open = await sql<
    { id: bigint; unit: UnitCode; payments: number; value: bigint; opened_at: bigint }[]
  >`
    SELECT id, unit, payments, value, opened_at FROM batch
    WHERE run_id = ${runId} AND state = 'open' ORDER BY id`;
  return {
    settled: row?.settled ?? 0,
    gasUsed: await gasUsedFor(sql, runId, [purposes.settlement, purposes.payerClaim]),
    open: open.map(({ opened_at, ...batch }) => ({ ...batch, openedAt: Number(opened_at) })),
  };
}

const among = (addresses: readonly string[]) => list(addresses.map(bytesOf));

/** What each of `addresses` pays and earns by channels in each unit, by lower-case address. */
export async function partyFigures(
  sql: Sql,
  runId: bigint,
  addresses: readonly string[],
): Promise<Map<string, PartyFigures[]>> {
  const rows = await sql<(PartyFigures & { address: Uint8Array })[]>`
    WITH party AS (
      SELECT payer AS address, unit, count(*) AS paying, sum(balance) AS deposited, sum(accepted) AS spent, 0 AS earning, 0 AS earned
      FROM channel WHERE run_id = ${runId} AND payer = ANY(${among(addresses)}::text[]::bytea[]) GROUP BY payer, unit
      UNION ALL
      SELECT receiver, unit, 0, 0, 0, count(*), sum(accepted)
      FROM channel WHERE run_id = ${runId} AND receiver = ANY(${among(addresses)}::text[]::bytea[]) GROUP BY receiver, unit
    )
    SELECT address, unit, sum(paying)::int AS paying, sum(earning)::int AS earning, sum(deposited)::numeric(38,0) AS deposited,
           sum(spent)::numeric(38,0) AS spent, sum(earned)::numeric(38,0) AS earned
    FROM party GROUP BY address, unit ORDER BY unit`;
  return Map.groupBy(rows, ({ address }) => addressOf(address).toLowerCase());
}

/** The ledger accounts of these payers' channels, with who has paid into each. */
export async function channelAccounts(
  sql: Sql,
  runId: bigint,
  payers: readonly string[],
): Promise<{ payer: `0x${string}`; account: `channel:${string}` }[]> {
  const rows = await sql<{ id: bigint; payer: Uint8Array }[]>`
    SELECT id, payer FROM channel WHERE run_id = ${runId} AND payer = ANY(${among(payers)}::text[]::bytea[])`;
  return rows.map(({ id, payer }) => ({ payer: addressOf(payer), account: channelAccount({ id }) }));
}

/** The chain's newest batches, to be told when their state changes. */
export function recentBatches(
  sql: Sql,
  chainId: number,
  limit: number,
): Promise<{ batchId: string; state: string }[]> {
  return sql<{ batchId: string; state: string }[]>`
    SELECT id::text AS "batchId", state FROM batch WHERE run_id IN ${runsOf(sql, chainId)} ORDER BY id DESC LIMIT ${limit}`;
}
