import type { UnitCode } from "#offchain/core/unit.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import type { Books } from "../books/books.ts";
import { genesisHash } from "../books/digest.ts";
import type { Draft } from "../books/draft.ts";

/** SQLSTATE of ledger_write() when somebody else wrote since the books were read. */
export const staleVersion = "LG001";

interface HeadRow {
  unit: UnitCode;
  height: bigint;
  hash: Uint8Array;
  openings: bigint;
  opening_hash: Uint8Array;
}

/** Takes the ledger for this transaction, so that nobody else writes before it ends; books that are behind start anew. */
export async function takeLedger(tx: Tx, books: Books): Promise<void> {
  const [head] = await tx<{ version: bigint; last_transfer: bigint; last_account: bigint }[]>`
    SELECT version, last_transfer, last_account FROM ledger_take()`;
  if (!head) throw new Error("the ledger has lost its head");
  if (books.version === head.version) return;
  books.clear();
  books.version = head.version;
  books.lastTransfer = Number(head.last_transfer);
  books.lastAccount = Number(head.last_account);
  const heads = await tx<HeadRow[]>`SELECT unit, height, hash, openings, opening_hash FROM journal_head`;
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex") || genesisHash;
  for (const { unit, height, hash, openings, opening_hash } of heads)
    books.heads.set(unit, {
      height: Number(height),
      hash: hex(hash),
      openings: Number(openings),
      openingHash: hex(opening_hash),
    });
}

/** What a draft says, as the one call that writes it. Taken at once: the books may go on meanwhile. */
export interface Sealed {
  readonly expected: bigint;
  /** @throws the database's error with code {@link staleVersion} when the books are behind, 23505 for a key used before */
  write(sql: Sql | Tx): Promise<void>;
}

/** Closes the draft: the books count as one version further, as they will be once it is written. */
export function seal(books: Books, draft: Draft): Sealed {
  const expected = books.version;
  if (expected === null) throw new Error("books that know nothing decided something");
  draft.encode();
  if (draft.isEmpty) return { expected, write: (sql) => assertVersion(sql, expected) };
  books.version = expected + 1n;
  const { key: k, transfer: t, line: j } = draft;
  const [o, a, h] = [draft.openings(), draft.accounts(), draft.journalHeads()];
  const last = { transfer: books.lastTransfer, account: books.lastAccount };
  const text = (column: unknown) => String(column);
  const unit = draft.onlyUnit;
  const units = (column: unknown) => (unit === null ? String(column) : "{}");
  return {
    expected,
    async write(sql) {
      await sql`SELECT ledger_write(${expected}, ${last.transfer}, ${last.account}, ${draft.now}, ${unit},
        ${text(h.unit)}, ${text(h.height)}, ${text(h.hash)}, ${text(h.openings)}, ${text(h.openingHash)},
        ${text(o.id)}, ${text(o.name)}, ${text(o.unit)}, ${text(o.external)},
        ${text(a.id)}, ${text(a.balance)}, ${text(a.pending)}, ${text(a.incoming)}, ${text(a.entries)},
        ${text(a.hourly)}, ${text(a.daily)}, ${text(a.weekly)}, ${text(a.monthly)}, ${text(a.chargedAt)},
        ${text(k.digest)}, ${text(k.request)}, ${text(k.transfer)},
        ${text(t.id)}, ${text(t.key)}, ${units(t.unit)}, ${text(t.debit)}, ${text(t.credit)}, ${text(t.amount)},
        ${text(t.expiresAt)}, ${text(t.reference)}, ${text(t.memo)}, ${text(t.metadata)},
        ${text(t.fee)}, ${text(t.feeOf)}, ${text(t.reverses)}, ${draft.transferHash.toBytes()},
        ${text(j.transfer)}, ${units(j.unit)}, ${text(j.height)}, ${text(j.debit)}, ${text(j.credit)}, ${text(j.amount)},
        ${text(j.debitEntry)}, ${text(j.debitBalance)}, ${text(j.creditEntry)}, ${text(j.creditBalance)},
        ${draft.lineHash.toBytes()})`;
    },
  };
}

/** A group of refusals and repetitions writes nothing, but what it says must have been true. */
async function assertVersion(sql: Sql | Tx, expected: bigint): Promise<void> {
  const [head] = await sql<{ version: bigint }[]>`SELECT version FROM ledger_head`;
  if (head?.version === expected) return;
  throw Object.assign(new Error(`the ledger is not at version ${expected} any more`), { code: staleVersion });
}
