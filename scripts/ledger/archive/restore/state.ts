import { openLedger } from "#offchain/features/ledger/ledger.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import { readFees } from "#offchain/features/ledger/store/fees.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { ArchiveFault, type Line, type Read } from "../files.ts";
import { archivedTables, type Link, origins, type Rows } from "../tables.ts";
import type { Followed } from "./follow.ts";

type Json = Readonly<Record<string, string | null>>;

/** A line of kind `account`: an account that no chain mirrors, with what it held. Base units. */
interface AccountLine {
  readonly name: AccountName;
  readonly unit: string;
  readonly openedAt: number;
  readonly suspendedAt: number | null;
  readonly limits: Json;
  readonly balance: string;
  readonly pending: string;
}

/** Treasuries that the operator took in: their past is read from the chain. */
export async function adoptTreasury(followed: Followed, line: Line): Promise<void> {
  const { treasury } = followed.servicesOn(Number(line.chainId));
  await treasury.adopt(line.treasury as `0x${string}`);
}

/** A batch as it was filled; whether it is settled the chain says (`PaymentReplay.finish`). */
export async function insertBatches(followed: Followed, reads: readonly Read[]): Promise<void> {
  await insertRows(followed, "batch", reads, {
    state: (row) => (row.state === "lost" ? "lost" : row.state === "open" ? "open" : "closed"),
  });
}

/**
 * Opens accounts that nothing has moved, and sets limits and suspensions as they stood.
 * @throws ArchiveFault when an account does not hold what it held
 */
export async function restoreAccount(sql: Sql, line: Line): Promise<void> {
  const account = line as unknown as AccountLine;
  const { name, unit, limits } = account;
  await openLedger(sql, { now: () => account.openedAt }).open([{ name, unit } as never]);
  const [held] = await sql<{ balance: bigint; pending: bigint }[]>`
    SELECT balance, pending FROM account WHERE name = ${name} AND unit = ${unit}`;
  if (held?.balance.toString() !== account.balance || held.pending.toString() !== account.pending)
    throw new ArchiveFault(
      `${name} holds ${held?.balance} ${unit}, ${held?.pending} of it reserved, after its transfers; the archive says ${account.balance} and ${account.pending}`,
    );
  const set = Object.fromEntries(
    Object.entries(limits).map(([period, limit]) => [period, limit === null ? undefined : BigInt(limit)]),
  );
  const [standing] = await openLedger(sql, { now: () => account.openedAt }).standings(name, unit as never);
  const known = Object.fromEntries(standing?.limits.map(({ period, limit }) => [period, limit]) ?? []);
  if (Object.entries(set).some(([period, limit]) => known[period] !== limit))
    await openLedger(sql, { now: () => account.openedAt }).setLimits(name, unit as never, set);
  await sql.begin((tx) => suspend(tx, account));
}

/** Takes limits and suspensions away, which are put back as the archive has them: what was done after a backup was allowed then. */
export async function liftRules(sql: Sql, now: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT ledger_take()`;
    await tx`
      WITH lifted AS (
        UPDATE account SET suspended_at = NULL, limit_transaction = NULL, limit_hourly = NULL, limit_daily = NULL,
          limit_weekly = NULL, limit_monthly = NULL
        WHERE account_rules(account) <> '- - - - - -' RETURNING unit, name)
      SELECT ledger_note('account ' || unit || ' ' || name, '- - - - - -', ${now}) FROM lifted`;
  });
}

/** One unit's account: the ledger itself suspends those of all units, which may have been suspended at other times. */
async function suspend(tx: Tx, { name, unit, suspendedAt }: AccountLine): Promise<void> {
  await tx`SELECT ledger_take()`;
  const { count } = await tx`
    UPDATE account SET suspended_at = ${suspendedAt}
    WHERE name = ${name} AND unit = ${unit} AND suspended_at IS DISTINCT FROM ${suspendedAt}::bigint`;
  if (count > 0)
    await tx`SELECT ledger_note('account ' || unit || ' ' || name, account_rules(account), ${suspendedAt ?? 0})
      FROM account WHERE name = ${name} AND unit = ${unit}`;
}

/** Rows of a table that is archived as it stands. */
export async function insertArchived(
  followed: Followed,
  table: string,
  reads: readonly Read[],
): Promise<void> {
  if (!(archivedTables as readonly string[]).includes(table))
    throw new ArchiveFault(`the archive has rows of ${table}, which is not archived`);
  if (table === "ledger_fee") return setFees(followed, reads);
  await insertRows(followed, table, reads);
}

async function setFees({ platform: { sql } }: Followed, reads: readonly Read[]): Promise<void> {
  for (const { line } of reads) {
    const row = line.row as Json;
    const terms = {
      unit: row.unit as never,
      fixed: BigInt(row.fixed ?? 0),
      rateBps: Number(row.rate_bps),
      minimum: BigInt(row.minimum ?? 1),
      maximum: row.maximum === null ? null : BigInt(row.maximum ?? 0),
    };
    const known = (await readFees(sql)).find(({ unit }) => unit === terms.unit);
    const isSame =
      known && Object.entries(terms).every(([name, value]) => known[name as keyof typeof known] === value);
    if (!isSame) await openLedger(sql, { now: () => Number(row.updated_at) }).setFees(terms);
  }
}

/** Epochs of Clearing as they were cut and paid, beside what the chain tells of them. What was under way is tried again. */
export async function restoreEpoch(followed: Followed, { line }: Read): Promise<void> {
  const row = line.row as Json;
  const run = followed.runOf(Number(line.chainId));
  const { number = null, payees = null, total = null, cut_at = null } = row;
  await followed.platform.sql`
    INSERT INTO clearing_epoch AS e (run_id, number, payees, total, cut_at, attempts, failures, paid_rows, payout_from, payout_to,
                                     payout_attempts, payout_failures, paid_at)
    VALUES (${run}, ${number}, ${payees}, ${total}, ${cut_at}, ${row.attempts ?? 0}, ${row.failures ?? 0}, ${row.paid_rows ?? 0},
            ${row.paid_rows ?? 0}, ${row.paid_rows ?? 0}, ${row.payout_attempts ?? 0}, ${row.payout_failures ?? 0}, ${row.paid_at ?? null})
    ON CONFLICT (run_id, number) DO UPDATE SET payees = excluded.payees, total = excluded.total, cut_at = excluded.cut_at,
      attempts = excluded.attempts, failures = excluded.failures, paid_rows = excluded.paid_rows, payout_from = excluded.payout_from,
      payout_to = excluded.payout_to, payout_attempts = excluded.payout_attempts, payout_failures = excluded.payout_failures,
      paid_at = excluded.paid_at,
      call_to = coalesce((SELECT max(f.rows) FROM clearing_fill f WHERE f.run_id = e.run_id AND f.number = e.number), 0)`;
}

/** SQL that puts back what a column stood for, from the line's row `l`. */
const backFrom = (sql: Sql, column: string, link: Link) =>
  link === "channel"
    ? sql`|| jsonb_build_object(${column}::text, (SELECT k.id FROM channel k
        WHERE k.run_id = (l->>'run_id')::bigint AND k.channel_id = decode(substr(l->>${column}, 3), 'hex')))`
    : sql`|| jsonb_build_object(${column}::text, (SELECT k.transfer_id FROM ledger_key k
        WHERE k.digest = half_digest(l->>${column})))`;

/** @param changed columns that are not as they stood */
async function insertRows(
  followed: Followed,
  table: string,
  reads: readonly Read[],
  changed: Readonly<Record<string, (row: Json) => string | null>> = {},
): Promise<void> {
  const { sql } = followed.platform;
  const origin = origins[table] as Partial<Rows>;
  const links = Object.entries(origin.links ?? {});
  const more = reads.map(({ line }) => ({
    ...(line.chainId !== undefined && { run_id: String(followed.runOf(Number(line.chainId))) }),
    ...Object.fromEntries(
      Object.entries(changed).map(([column, value]) => [column, value(line.row as Json)]),
    ),
  }));
  const [first, ...others] = links.map(([column, link]) => backFrom(sql, column, link));
  if (others.length > 0) throw new Error(`${table} has several columns to be put back`);
  const key = await primaryKeyOf(sql, table);
  const columns = Object.keys({ ...(reads[0]?.line.row as Json), ...more[0] });
  await sql`
    INSERT INTO ${sql(table)} OVERRIDING SYSTEM VALUE
    SELECT q.* FROM (
      SELECT (n.line::jsonb->'row') || n.more::jsonb AS l
      FROM unnest(${reads.map(({ text }) => text)}::text[], ${more.map((each) => JSON.stringify(each))}::text[]) AS n(line, more)
    ) lines CROSS JOIN LATERAL jsonb_populate_record(null::${sql(table)}, l ${first ?? sql``}) q
    ${inPlace(sql, key, columns)}`;
}

/** A backup has older rows of the same numbers: what the archive says takes their place. @param key the columns of the primary key */
function inPlace(sql: Sql, key: readonly string[], columns: readonly string[]) {
  const [first, ...others] = columns.filter((name) => !key.includes(name));
  if (first === undefined) return sql`ON CONFLICT DO NOTHING`;
  const set = others.reduce(
    (all, name) => sql`${all}, ${sql(name)} = excluded.${sql(name)}`,
    sql`${sql(first)} = excluded.${sql(first)}`,
  );
  return sql`ON CONFLICT (${sql(key)}) DO UPDATE SET ${set}`;
}

async function primaryKeyOf(sql: Sql, table: string): Promise<string[]> {
  const columns = await sql<{ name: string }[]>`
    SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = ${table}::regclass AND i.indisprimary`;
  return columns.map(({ name }) => name);
}

/** After rows with numbers of their own the next ones are given behind them. */
export async function moveSequences(sql: Sql): Promise<void> {
  const columns = await sql<{ relation: string; name: string }[]>`
    SELECT table_name AS relation, column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND is_identity = 'YES'`;
  for (const { relation, name } of columns)
    await sql`SELECT setval(pg_get_serial_sequence(${relation}, ${name}), (SELECT max(${sql(name)}) FROM ${sql(relation)}))`;
}
