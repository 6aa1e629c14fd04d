import type { ChannelStorage, ChannelUpdateResult } from "@x402/evm/batch-settlement/server";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { currentEpoch } from "#offchain/platform/chain/indexer/checkpoint.ts";
import type { TransactionId } from "#offchain/platform/chain/port.ts";
import { bytesOf, hexOf, list } from "#offchain/platform/database/bytes.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Sale, SaleAnswer, SaleState, Sales, SettleAnswer, Settlement } from "./service.ts";

type Channel = NonNullable<ChannelUpdateResult["channel"]>;

interface SettlementRow {
  content: Uint8Array;
  attempt: number;
  transaction_id: bigint;
  outcome: SettleAnswer | null;
}

const toSettlement = (row: SettlementRow): Settlement => ({
  content: hexOf(row.content),
  attempt: row.attempt,
  transactionId: row.transaction_id,
  outcome: row.outcome,
});

export async function findSettlement(
  sql: Sql | Tx,
  epochId: bigint,
  key: `0x${string}`,
): Promise<Settlement | null> {
  const [row] = await sql<SettlementRow[]>`
    SELECT content, attempt, transaction_id, outcome FROM x402_settlement
    WHERE epoch_id = ${epochId} AND key = ${bytesOf(key)}`;
  return row ? toSettlement(row) : null;
}

/**
 * Begins a settlement, or begins a failed one anew: `enqueue` stores its transaction in the same database transaction.
 * @returns what stands now; another payment's, if that was first with the key
 */
export function beginSettlement(
  sql: Sql,
  settlement: { epochId: bigint; key: `0x${string}`; content: `0x${string}` },
  now: number,
  enqueue: (tx: Tx, attempt: number) => Promise<TransactionId>,
): Promise<Settlement> {
  const { epochId, key, content } = settlement;
  return sql.begin(async (tx) => {
    // Callers with one key go one after the other, also before there is a row to lock.
    await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`x402:${epochId}:${key}`}, 0))`;
    const known = await findSettlement(tx, epochId, key);
    if (known && known.outcome?.success !== false) return known;
    const attempt = (known?.attempt ?? 0) + 1;
    const transactionId = await enqueue(tx, attempt);
    await tx`
      INSERT INTO x402_settlement (epoch_id, key, content, attempt, transaction_id, created_at, updated_at)
      VALUES (${epochId}, ${bytesOf(key)}, ${bytesOf(content)}, ${attempt}, ${transactionId}, ${now}, ${now})
      ON CONFLICT (epoch_id, key) DO UPDATE
      SET content = excluded.content, attempt = excluded.attempt, transaction_id = excluded.transaction_id,
          outcome = NULL, updated_at = excluded.updated_at`;
    return { content, attempt, transactionId, outcome: null };
  }) as Promise<Settlement>;
}

/** Stores the answer, unless the attempt has one. */
export async function endSettlement(
  sql: Sql,
  settlement: { epochId: bigint; key: `0x${string}`; attempt: number },
  outcome: SettleAnswer,
  now: number,
): Promise<void> {
  const { epochId, key, attempt } = settlement;
  await sql`
    UPDATE x402_settlement SET outcome = ${sql.json(outcome as never)}, updated_at = ${now}
    WHERE epoch_id = ${epochId} AND key = ${bytesOf(key)} AND attempt = ${attempt} AND outcome IS NULL`;
}

interface SaleRow {
  request: Uint8Array;
  content: Uint8Array;
  status: number | null;
  body: string | null;
  receipt: string | null;
  held_until: bigint;
}

/** How long after its process died a request may be begun again; while it lives, the hold is renewed. */
const holdMs = 5_000;
const renewEveryMs = 1_500;

/** The sales of the chain's current life. */
export function openSales(sql: Sql, clock: Clock, chainId: number): Sales {
  const epoch = async () => (await currentEpoch(sql, chainId))?.id ?? 0n;
  const renewals = new Map<string, NodeJS.Timeout>();

  function renew(epochId: bigint, { payment }: Sale): void {
    const timer = setInterval(() => {
      const until = clock.now() + holdMs;
      // A lost renewal is made up for by the next; without any, the sale may be begun again, and is paid once still.
      sql`UPDATE x402_sale SET held_until = ${until}
          WHERE epoch_id = ${epochId} AND payment = ${bytesOf(payment.key)} AND status IS NULL`.catch(
        () => {},
      );
    }, renewEveryMs);
    timer.unref();
    renewals.set(payment.key, timer);
  }

  function stopRenewing({ payment }: Sale): void {
    clearInterval(renewals.get(payment.key));
    renewals.delete(payment.key);
  }

  async function stateOf(tx: Sql | Tx, epochId: bigint, sale: Sale): Promise<SaleState> {
    const [row] = await tx<SaleRow[]>`
      SELECT request, content, status, body, receipt, held_until FROM x402_sale
      WHERE epoch_id = ${epochId} AND payment = ${bytesOf(sale.payment.key)}`;
    if (!row) return { state: "new" };
    if (hexOf(row.request) !== sale.request || hexOf(row.content) !== sale.payment.content)
      return { state: "other" };
    const { status, body, receipt } = row;
    if (status !== null)
      return { state: "paid", answer: { status, body: body ?? "", receipt: JSON.parse(receipt ?? "{}") } };
    const retryAfterMs = Number(row.held_until) - clock.now();
    return retryAfterMs > 0 ? { state: "running", retryAfterMs } : { state: "resumed" };
  }

  return {
    find: async (sale) => stateOf(sql, await epoch(), sale),

    async begin(sale) {
      const epochId = await epoch();
      const { key, content } = sale.payment;
      const state = (await sql.begin(async (tx) => {
        await tx`SELECT pg_advisory_xact_lock(hashtextextended(${`sale:${epochId}:${key}`}, 0))`;
        const found = await stateOf(tx, epochId, sale);
        if (found.state !== "new" && found.state !== "resumed") return found;
        const now = clock.now();
        await tx`
          INSERT INTO x402_sale (epoch_id, payment, content, request, action, held_until, created_at, updated_at)
          VALUES (${epochId}, ${bytesOf(key)}, ${bytesOf(content)}, ${bytesOf(sale.request)}, ${sale.action},
                  ${now + holdMs}, ${now}, ${now})
          ON CONFLICT (epoch_id, payment) DO UPDATE SET held_until = excluded.held_until, updated_at = excluded.updated_at`;
        return found;
      })) as SaleState;
      if (state.state === "new" || state.state === "resumed") renew(epochId, sale);
      return state;
    },

    async end(sale, { status, body, receipt }: SaleAnswer) {
      stopRenewing(sale);
      await sql`
        UPDATE x402_sale SET status = ${status}, body = ${body}, receipt = ${JSON.stringify(receipt)}, updated_at = ${clock.now()}
        WHERE epoch_id = ${await epoch()} AND payment = ${bytesOf(sale.payment.key)}`;
    },

    async release(sale, outcome) {
      stopRenewing(sale);
      const [epochId, payment] = [await epoch(), bytesOf(sale.payment.key)];
      if (outcome === "pending")
        await sql`
          UPDATE x402_sale SET held_until = 0, updated_at = ${clock.now()}
          WHERE epoch_id = ${epochId} AND payment = ${payment} AND status IS NULL`;
      else
        await sql`DELETE FROM x402_sale WHERE epoch_id = ${epochId} AND payment = ${payment} AND status IS NULL`;
    },
  };
}

/** Forgets sales that are older than anybody may ask for. @returns how many */
export async function forgetSales(sql: Sql, before: number): Promise<number> {
  const { count } = await sql`DELETE FROM x402_sale WHERE created_at < ${before}`;
  return count;
}

/** Those of the channels by which priced actions are paid, lower-case. */
export async function soldChannels(tx: Tx, epochId: bigint, ids: readonly string[]): Promise<Set<string>> {
  const rows = await tx<{ channel_id: Uint8Array }[]>`
    SELECT channel_id FROM x402_channel
    WHERE epoch_id = ${epochId} AND channel_id = ANY(${list(ids.map(bytesOf))}::text[]::bytea[])`;
  return new Set(rows.map(({ channel_id }) => hexOf(channel_id)));
}

/** What the vouchers of those channels promise in all, by lower-case channel id; base units. */
export async function chargedChannels(tx: Tx, epochId: bigint): Promise<Map<string, bigint>> {
  const rows = await tx<{ channel_id: Uint8Array; charged: bigint | null }[]>`
    SELECT channel_id, (record ->> 'chargedCumulativeAmount')::numeric(38,0) AS charged
    FROM x402_channel WHERE epoch_id = ${epochId}`;
  return new Map(rows.map(({ channel_id, charged }) => [hexOf(channel_id), charged ?? 0n]));
}

/**
 * A channel whose payments the intake has accepted and not claimed promises that money already. The lock keeps the intake
 * from accepting one meanwhile.
 */
async function assertUnpromised(tx: Tx, epochId: bigint, channelId: string): Promise<void> {
  const [row] = await tx<{ accepted: bigint; claimed: bigint }[]>`
    SELECT accepted, claimed FROM channel WHERE epoch_id = ${epochId} AND channel_id = ${bytesOf(channelId)} FOR UPDATE`;
  if (row && row.accepted > row.claimed)
    throw new BursarError("CHANNEL_MISMATCH", `channel ${channelId} has promised its money to payments`, {
      facts: { channelId, accepted: row.accepted, claimed: row.claimed },
    });
}

/** The channels whose vouchers this service holds, in the form that the official server keeps them. */
export function openChannelStorage(sql: Sql, clock: Clock, chainId: number): ChannelStorage {
  const epoch = async () => (await currentEpoch(sql, chainId))?.id ?? 0n;
  const read = async (tx: Sql | Tx, epochId: bigint, channelId: string): Promise<Channel | undefined> => {
    const [row] = await tx<{ record: Channel }[]>`
      SELECT record FROM x402_channel WHERE epoch_id = ${epochId} AND channel_id = ${bytesOf(channelId)}`;
    return row?.record;
  };
  return {
    get: async (channelId) => read(sql, await epoch(), channelId),

    async list() {
      const rows = await sql<{ record: Channel }[]>`
        SELECT record FROM x402_channel WHERE epoch_id = ${await epoch()} ORDER BY channel_id`;
      return rows.map(({ record }) => record);
    },

    async updateChannel(channelId, update) {
      const epochId = await epoch();
      return sql.begin(async (tx): Promise<ChannelUpdateResult> => {
        const name = `channel:${epochId}:${channelId.toLowerCase()}`;
        await tx`SELECT pg_advisory_xact_lock(hashtextextended(${name}, 0))`;
        const current = await read(tx, epochId, channelId);
        const channel = update(current);
        if (!current && channel) await assertUnpromised(tx, epochId, channelId);
        if (channel === current) return { channel, status: "unchanged" };
        if (!channel) {
          await tx`DELETE FROM x402_channel WHERE epoch_id = ${epochId} AND channel_id = ${bytesOf(channelId)}`;
          return { channel: undefined, status: "deleted" };
        }
        await tx`
          INSERT INTO x402_channel VALUES (${epochId}, ${bytesOf(channelId)}, ${tx.json(channel as never)}, ${clock.now()})
          ON CONFLICT (epoch_id, channel_id) DO UPDATE SET record = excluded.record, updated_at = excluded.updated_at`;
        return { channel, status: "updated" };
      }) as Promise<ChannelUpdateResult>;
    },
  };
}
