import type { Tx } from "#offchain/platform/database/database.ts";
import { type Charge, type Lot, type LotChange, type LotRecord, wasteAlertAbove } from "../rules/pool.ts";

interface LotRow {
  id: bigint;
  society_id: string;
  source_id: string;
  charged: bigint;
  available: bigint;
  reserved: bigint;
  consumed: bigint;
  expired: bigint;
  lifetime_ms: bigint;
  charged_at: bigint;
  expires_at: bigint;
}

const toLot = (row: LotRow): LotRecord => ({
  id: row.id.toString(),
  society: row.society_id,
  sourceId: row.source_id,
  charged: row.charged,
  available: row.available,
  reserved: row.reserved,
  consumed: row.consumed,
  expired: row.expired,
  lifetimeMs: Number(row.lifetime_ms),
  chargedAt: Number(row.charged_at),
  expiresAt: Number(row.expires_at),
});

/** Lots that hold something, by society; the society's lock keeps them still. */
export async function openLotsOf(tx: Tx, societies: readonly string[]): Promise<Map<string, LotRecord[]>> {
  const rows = await tx<LotRow[]>`
    SELECT * FROM energy_lot
    WHERE society_id = any(${[...societies]}::text[]) AND (available > 0 OR reserved > 0)
    ORDER BY expires_at, id`;
  return Map.groupBy(rows.map(toLot), (lot) => lot.society);
}

/** By society, the latest lots of which so much spoiled that someone should know: so many of each at the most. */
export async function wastedLotsOf(
  tx: Tx,
  societies: readonly string[],
  limit: number,
): Promise<Map<string, LotRecord[]>> {
  const rows = await tx<LotRow[]>`
    SELECT l.* FROM unnest(${[...societies]}::text[]) WITH ORDINALITY AS s(id, place)
    CROSS JOIN LATERAL (
      SELECT * FROM energy_lot WHERE society_id = s.id AND expired > ${wasteAlertAbove.toString()}::numeric
      ORDER BY expires_at DESC, id DESC LIMIT ${limit}
    ) l
    ORDER BY s.place, l.expires_at DESC, l.id DESC`;
  return Map.groupBy(rows.map(toLot), (lot) => lot.society);
}

/** Unswept lots that spoiled, the longest spoiled first. */
export async function spoiledLots(tx: Tx, now: number, limit: number): Promise<{ society: string }[]> {
  return await tx<{ society: string }[]>`
    SELECT society_id AS society FROM energy_lot
    WHERE available > 0 AND expires_at < ${now} ORDER BY expires_at LIMIT ${limit}`;
}

/** The lot that was charged with this key before, if any. */
export async function findCharged(tx: Tx, { society, key }: Charge): Promise<LotRecord | null> {
  const [row] = await tx<LotRow[]>`
    SELECT * FROM energy_lot WHERE society_id = ${society} AND key = ${key}`;
  return row ? toLot(row) : null;
}

export async function insertLot(tx: Tx, charge: Charge, now: number): Promise<LotRecord> {
  const amount = charge.amount.toString();
  const [row] = await tx<LotRow[]>`
    INSERT INTO energy_lot
      (society_id, source_id, key, charged, available, lifetime_ms, charged_at, expires_at)
    VALUES (${charge.society}, ${charge.sourceId}, ${charge.key}, ${amount}::numeric, ${amount}::numeric,
      ${charge.lifetimeMs}, ${now}, ${now + charge.lifetimeMs})
    RETURNING *`;
  if (!row) throw new RangeError("the lot was not inserted");
  return toLot(row);
}

/** Applies changes, summed per lot, and returns the lots as they then stand. */
export async function changeLots(tx: Tx, changes: readonly LotChange[]): Promise<LotRecord[]> {
  if (changes.length === 0) return [];
  const net = [...Map.groupBy(changes, ({ lotId }) => lotId)].map(([id, ofLot]) => ({
    id,
    available: total(ofLot, "available"),
    reserved: total(ofLot, "reserved"),
    consumed: total(ofLot, "consumed"),
    expired: total(ofLot, "expired"),
  }));
  const rows = await tx<LotRow[]>`
    UPDATE energy_lot AS lot SET
      available = lot.available + net.available,
      reserved = lot.reserved + net.reserved,
      consumed = lot.consumed + net.consumed,
      expired = lot.expired + net.expired
    FROM jsonb_to_recordset(${tx.json(net)}) AS
      net(id bigint, available numeric, reserved numeric, consumed numeric, expired numeric)
    WHERE lot.id = net.id
    RETURNING lot.*`;
  return rows.map(toLot);
}

const total = (changes: readonly LotChange[], part: Exclude<keyof Lot & keyof LotChange, "lotId">): string =>
  changes.reduce((sum, change) => sum + change[part], 0n).toString();
