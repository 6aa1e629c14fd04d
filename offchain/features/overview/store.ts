import type { UnitCode } from "#offchain/core/unit.ts";
import { refusedOf } from "#offchain/features/payments/store/refusals.ts";
import { addressOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";

/** Sums over several tables, for pages and reports. Base units. */

export interface PaymentFigures {
  total: number;
  /** Not claimed on the chain yet; what was refused, or went with a dead chain, is not waiting any more. */
  pending: number;
  /** Claimed on the chain. */
  settled: number;
  value: bigint;
  payers: number;
  payees: number;
}

/** Over all epochs: what was ever accepted. Counted by batches; only what is under way or refused is looked at one by one. */
export async function paymentFigures(sql: Sql): Promise<PaymentFigures> {
  const [row] = await sql<PaymentFigures[]>`
    WITH refused AS (
      SELECT r.batch_id, count(*)::int AS payments FROM ${refusedOf(sql, null)} JOIN channel c ON c.id = r.channel
      JOIN payment p ON p.batch_id = r.batch_id AND p.channel = r.channel AND p.cumulative > c.claimed GROUP BY r.batch_id
    ), claimed AS (
      SELECT p.batch_id, count(*)::int AS payments FROM batch b JOIN payment p ON p.batch_id = b.id
      JOIN channel c ON c.id = p.channel AND p.cumulative <= c.claimed
      WHERE b.state IN ('open', 'closed', 'submitted') GROUP BY p.batch_id
    ), counted AS (
      SELECT b.state, b.value, b.payments, coalesce(r.payments, 0) AS refused, coalesce(k.payments, 0) AS claimed
      FROM batch b LEFT JOIN refused r ON r.batch_id = b.id LEFT JOIN claimed k ON k.batch_id = b.id
    )
    SELECT coalesce(sum(payments), 0)::int AS total,
           coalesce(sum(payments - claimed - refused) FILTER (WHERE state IN ('open', 'closed', 'submitted')), 0)::int AS pending,
           coalesce(sum(CASE state WHEN 'settled' THEN payments - refused ELSE claimed END), 0)::int AS settled,
           coalesce(sum(value), 0)::numeric(38,0) AS value,
           (SELECT count(DISTINCT payer)::int FROM channel WHERE accepted > 0) AS payers,
           (SELECT count(*)::int FROM (SELECT receiver FROM channel WHERE accepted > 0 AND NOT is_cleared
                                       UNION SELECT payee FROM clearing_payee) AS paid) AS payees
    FROM counted`;
  return row ?? { total: 0, pending: 0, settled: 0, value: 0n, payers: 0, payees: 0 };
}

export interface BatchFigures {
  settled: number;
  /** Of all transactions by which payments reach their payees: claims, those of payers by themselves, roots, payouts. */
  gasUsed: bigint;
  open: { id: bigint; payments: number; value: bigint; openedAt: number } | null;
  proposalsExecuted: number;
}

export async function batchFigures(sql: Sql, epochId: bigint): Promise<BatchFigures> {
  const [row] = await sql<{ settled: number; gas: bigint; executed: number }[]>`
    SELECT (SELECT count(*)::int FROM batch WHERE state = 'settled') AS settled,
           (SELECT coalesce(sum(gas_used), 0)::numeric(38,0) FROM chain_transaction WHERE state = 'mined'
              AND purpose IN ('batch.settle', 'channel.claim', 'clearing.root', 'clearing.payout')) AS gas,
           (SELECT count(*)::int FROM proposal WHERE state = 'executed') AS executed`;
  const [open] = await sql<{ id: bigint; payments: number; value: bigint; opened_at: bigint }[]>`
    SELECT id, payments, value, opened_at FROM batch WHERE epoch_id = ${epochId} AND state = 'open'`;
  return {
    settled: row?.settled ?? 0,
    gasUsed: row?.gas ?? 0n,
    proposalsExecuted: row?.executed ?? 0,
    open: open
      ? { id: open.id, payments: open.payments, value: open.value, openedAt: Number(open.opened_at) }
      : null,
  };
}

export async function carbonFigures(sql: Sql): Promise<{ co2Micrograms: bigint; energyMillijoules: bigint }> {
  const [row] = await sql<{ co2: bigint; energy: bigint }[]>`
    SELECT coalesce(sum(co2_micrograms), 0)::numeric(38,0) AS co2, coalesce(sum(energy_millijoules), 0)::numeric(38,0) AS energy
    FROM footprint_hour`;
  return { co2Micrograms: row?.co2 ?? 0n, energyMillijoules: row?.energy ?? 0n };
}

export interface AgentFigures {
  address: `0x${string}`;
  name: string;
  role: string;
  /** Channels in which it pays, and is paid; all cleared ones that pay it count as one. */
  paying: number;
  earning: number;
  deposited: bigint;
  /** Signed over to payees. */
  spent: bigint;
  /** Signed over or credited to it. */
  earned: bigint;
}

export async function agentFigures(sql: Sql, epochId: bigint): Promise<AgentFigures[]> {
  const rows = await sql<(Omit<AgentFigures, "address"> & { address: Uint8Array })[]>`
    SELECT a.address, a.name, a.role,
           coalesce(p.channels, 0) AS paying, coalesce(p.balance, 0)::numeric(38,0) AS deposited,
           coalesce(p.accepted, 0)::numeric(38,0) AS spent,
           coalesce(r.channels, 0) + (k.credited IS NOT NULL)::int AS earning,
           (coalesce(r.accepted, 0) + coalesce(k.credited, 0))::numeric(38,0) AS earned
    FROM agent a
    LEFT JOIN (SELECT payer, count(*)::int AS channels, sum(balance) AS balance, sum(accepted) AS accepted
               FROM channel WHERE epoch_id = ${epochId} GROUP BY payer) p ON p.payer = a.address
    LEFT JOIN (SELECT receiver, count(*)::int AS channels, sum(accepted) AS accepted
               FROM channel WHERE epoch_id = ${epochId} GROUP BY receiver) r ON r.receiver = a.address
    LEFT JOIN clearing_payee k ON k.epoch_id = ${epochId} AND k.payee = a.address
    ORDER BY a.id`;
  return rows.map((row) => ({ ...row, address: addressOf(row.address) }));
}

export interface WalletAccount {
  name: string;
  unit: UnitCode;
  balance: bigint;
  pending: bigint;
  /** What pending transfers will bring if they are posted. */
  incoming: bigint;
}

/** Ledger accounts by their holder's lower-case address: what it earned, its channels' deposits, its work and emissions. */
export async function walletAccounts(sql: Sql, epochId: bigint): Promise<Map<string, WalletAccount[]>> {
  const rows = await sql<(WalletAccount & { holder: string })[]>`
    WITH held AS (
      SELECT id, lower(regexp_replace(name, '^.*:', '')) AS holder, name FROM account
      WHERE name LIKE 'agent:0x%' OR name LIKE 'worker:0x%' OR name LIKE 'emitted:0x%' OR name LIKE ${`payee:${epochId}:%`}
      UNION ALL
      SELECT a.id, '0x' || encode(c.payer, 'hex'), 'channels' FROM account a
      JOIN channel c ON a.name = 'channel:' || c.id WHERE c.epoch_id = ${epochId}
    )
    SELECT h.holder, h.name, a.unit, sum(a.balance)::numeric(38,0) AS balance, sum(a.pending)::numeric(38,0) AS pending,
           sum(a.incoming)::numeric(38,0) AS incoming
    FROM held h JOIN account a ON a.id = h.id
    GROUP BY h.holder, h.name, a.unit ORDER BY h.holder, h.name, a.unit`;
  const accounts = new Map<string, WalletAccount[]>();
  for (const { holder, ...account } of rows) accounts.set(holder, [...(accounts.get(holder) ?? []), account]);
  return accounts;
}
