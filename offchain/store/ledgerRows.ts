import { accountKind, externalKinds, type LedgerOperation, type Transfer } from "#offchain/domain/ledger.ts";
import type { UnitCode } from "#offchain/domain/unit.ts";
import { type AccountState, Books, type TransferState } from "./books.ts";
import { list } from "./bytes.ts";
import type { Tx } from "./database.ts";

/** Reads and locks all that the operations touch: transfers first, then accounts, each in the order of their ids. */
export async function loadBooks(tx: Tx, operations: readonly LedgerOperation[], now: number): Promise<Books> {
  const books = new Books(now);
  const keys = operations.map(({ key }) => key);
  const movements = operations.filter(
    (operation) => operation.kind === "transfer" || operation.kind === "hold",
  );
  const ids = operations.flatMap((operation) =>
    "transferId" in operation && /^\d{1,18}$/.test(operation.transferId)
      ? [BigInt(operation.transferId)]
      : [],
  );
  const rows = await tx<TransferRow[]>`
    SELECT * FROM transfer WHERE key = ANY(${keys}::text[]) OR id = ANY(${list(ids)}::bigint[])
       OR id IN (SELECT transfer_id FROM resolution WHERE key = ANY(${keys}::text[]))
    ORDER BY id FOR NO KEY UPDATE`;
  // Read after the locks are had: another instance may have resolved the same transfer under the same key meanwhile.
  const resolved = await tx<{ key: string; request_hash: Uint8Array; transfer_id: bigint }[]>`
    SELECT * FROM resolution WHERE key = ANY(${keys}::text[])`;
  await loadAccounts(
    tx,
    books,
    movements,
    rows.flatMap(({ debit, credit }) => [debit, credit]),
  );
  for (const row of rows) remember(books, row);
  for (const { key, request_hash, transfer_id } of resolved) {
    const transfer = books.transfers.get(transfer_id.toString());
    if (transfer) books.keys.set(key, { hash: hexOf(request_hash), transfer });
  }
  return books;
}

async function loadAccounts(
  tx: Tx,
  books: Books,
  movements: readonly { debit: Transfer["debit"]; credit: Transfer["debit"]; unit: UnitCode }[],
  ids: readonly bigint[],
): Promise<void> {
  const wanted = new Map(
    movements.flatMap(({ debit, credit, unit }) =>
      [debit, credit].map((name) => [`${name} ${unit}`, { name, unit }] as const),
    ),
  );
  const names = [...wanted.values()];
  const created = await tx<{ id: bigint }[]>`
    INSERT INTO account (name, unit, external)
    SELECT * FROM unnest(${names.map(({ name }) => name)}::text[], ${names.map(({ unit }) => unit)}::text[],
                         ${list(names.map(({ name }) => externalKinds.has(accountKind(name))))}::text[]::boolean[]) AS w(name, unit, external)
    WHERE NOT EXISTS (SELECT FROM account a WHERE a.name = w.name AND a.unit = w.unit)
    ORDER BY name, unit ON CONFLICT DO NOTHING RETURNING id`;
  for (const { id } of created) books.created.add(id);
  const rows = await tx<AccountRow[]>`
    SELECT a.* FROM account a
    WHERE a.id = ANY(${list([...new Set(ids)])}::bigint[]) OR (a.name, a.unit) IN (
      SELECT * FROM unnest(${names.map(({ name }) => name)}::text[], ${names.map(({ unit }) => unit)}::text[]))
    ORDER BY a.id FOR NO KEY UPDATE`;
  for (const row of rows) {
    const state: AccountState = {
      id: row.id,
      name: row.name,
      unit: row.unit,
      external: row.external,
      balance: row.balance,
      pending: row.pending,
      suspended: row.suspended_at !== null,
      touched: false,
    };
    books.addAccount(state);
  }
}

function remember(books: Books, row: TransferRow): void {
  const debit = books.accountsById.get(row.debit);
  const credit = books.accountsById.get(row.credit);
  if (!debit || !credit) throw new Error(`transfer ${row.id} has accounts that do not exist`);
  const state = { transfer: transferOf(row, debit, credit), debit, credit, stored: true, changed: false };
  books.addTransfer(state, hexOf(row.request_hash));
}

export async function saveBooks(tx: Tx, books: Books): Promise<void> {
  const states = [...new Set(books.transfers.values())];
  await insertTransfers(
    tx,
    books,
    states.filter(({ stored }) => !stored),
  );
  await updateTransfers(
    tx,
    states.filter(({ stored, changed }) => stored && changed),
  );
  await saveAccounts(tx, books);
  await forgetAccounts(tx, books, states);
  await insertEntries(tx, books);
  if (books.resolutions.length > 0)
    await tx`
      INSERT INTO resolution (key, request_hash, transfer_id)
      SELECT * FROM unnest(${books.resolutions.map(({ key }) => key)}::text[],
        ${list(books.resolutions.map(({ hash }) => Buffer.from(hash, "hex")))}::text[]::bytea[],
        ${list(books.resolutions.map(({ transfer }) => BigInt(transfer.transfer.id)))}::bigint[])`;
}

async function insertTransfers(tx: Tx, books: Books, states: readonly TransferState[]): Promise<void> {
  if (states.length === 0) return;
  const column = <Value>(pick: (state: TransferState) => Value) => states.map(pick);
  const inserted = await tx<{ id: bigint; key: string }[]>`
    INSERT INTO transfer (key, request_hash, debit, credit, amount, state, posted_amount, reference, memo,
                          created_at, expires_at, resolved_at)
    SELECT * FROM unnest(
      ${column(({ transfer }) => transfer.key)}::text[],
      ${list(column(({ transfer }) => Buffer.from(books.keys.get(transfer.key)?.hash ?? "", "hex")))}::text[]::bytea[],
      ${list(column(({ debit }) => debit.id))}::bigint[],
      ${list(column(({ credit }) => credit.id))}::bigint[],
      ${list(column(({ transfer }) => transfer.amount.toString()))}::numeric[],
      ${column(({ transfer }) => transfer.state)}::text[],
      ${list(column(({ transfer }) => transfer.postedAmount?.toString() ?? null))}::numeric[],
      ${column(({ transfer }) => transfer.reference)}::text[],
      ${column(({ transfer }) => transfer.memo)}::text[],
      ${list(column(({ transfer }) => BigInt(transfer.createdAt)))}::bigint[],
      ${list(column(({ transfer }) => (transfer.expiresAt === null ? null : BigInt(transfer.expiresAt))))}::bigint[],
      ${list(column(({ transfer }) => (transfer.resolvedAt === null ? null : BigInt(transfer.resolvedAt))))}::bigint[])
    RETURNING id, key`;
  const ids = new Map(inserted.map(({ id, key }) => [key, id.toString()]));
  // Outcomes already hold these very objects, so the id is written into them.
  for (const { transfer } of states) transfer.id = ids.get(transfer.key) ?? "";
}

async function updateTransfers(tx: Tx, states: readonly TransferState[]): Promise<void> {
  if (states.length === 0) return;
  await tx`
    UPDATE transfer SET state = new.state, posted_amount = new.posted_amount, resolved_at = new.resolved_at
    FROM unnest(${list(states.map(({ transfer }) => BigInt(transfer.id)))}::bigint[],
                ${states.map(({ transfer }) => transfer.state)}::text[],
                ${list(states.map(({ transfer }) => transfer.postedAmount?.toString() ?? null))}::numeric[],
                ${list(states.map(({ transfer }) => (transfer.resolvedAt === null ? null : BigInt(transfer.resolvedAt))))}::bigint[])
      AS new(id, state, posted_amount, resolved_at)
    WHERE transfer.id = new.id`;
}

async function saveAccounts(tx: Tx, books: Books): Promise<void> {
  const touched = [...books.accounts.values()].filter((account) => account.touched);
  if (touched.length === 0) return;
  await tx`
    UPDATE account SET balance = new.balance, pending = new.pending
    FROM unnest(${list(touched.map(({ id }) => id))}::bigint[], ${list(touched.map(({ balance }) => balance.toString()))}::numeric[],
                ${list(touched.map(({ pending }) => pending.toString()))}::numeric[]) AS new(id, balance, pending)
    WHERE account.id = new.id`;
}

/** An account that only failing operations named never was. */
async function forgetAccounts(tx: Tx, books: Books, states: readonly TransferState[]): Promise<void> {
  if (books.created.size === 0) return;
  const used = new Set(states.flatMap(({ debit, credit }) => [debit.id, credit.id]));
  const unused = [...books.created].filter((id) => !used.has(id));
  if (unused.length > 0) await tx`DELETE FROM account WHERE id = ANY(${list(unused)}::bigint[])`;
}

async function insertEntries(tx: Tx, books: Books): Promise<void> {
  if (books.entries.length === 0) return;
  await tx`
    INSERT INTO entry (transfer_id, account, amount, balance_after, posted_at)
    SELECT *, ${books.now}::bigint FROM unnest(
      ${list(books.entries.map(({ transfer }) => BigInt(transfer.transfer.id)))}::bigint[],
      ${list(books.entries.map(({ account }) => account.id))}::bigint[],
      ${list(books.entries.map(({ amount }) => amount.toString()))}::numeric[],
      ${list(books.entries.map(({ balanceAfter }) => balanceAfter.toString()))}::numeric[])`;
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

interface AccountRow {
  id: bigint;
  name: Transfer["debit"];
  unit: UnitCode;
  external: boolean;
  balance: bigint;
  pending: bigint;
  suspended_at: bigint | null;
}

interface TransferRow {
  id: bigint;
  key: string;
  request_hash: Uint8Array;
  debit: bigint;
  credit: bigint;
  amount: bigint;
  state: Transfer["state"];
  posted_amount: bigint | null;
  reference: string | null;
  memo: string | null;
  created_at: bigint;
  expires_at: bigint | null;
  resolved_at: bigint | null;
}

function transferOf(row: TransferRow, debit: AccountState, credit: AccountState): Transfer {
  const time = (at: bigint | null) => (at === null ? null : Number(at));
  return {
    id: row.id.toString(),
    key: row.key,
    debit: debit.name,
    credit: credit.name,
    unit: debit.unit,
    amount: row.amount,
    state: row.state,
    reference: row.reference,
    memo: row.memo,
    createdAt: Number(row.created_at),
    expiresAt: time(row.expires_at),
    resolvedAt: time(row.resolved_at),
    postedAmount: row.posted_amount,
  };
}
