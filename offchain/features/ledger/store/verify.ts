import type { Sql } from "#offchain/platform/database/database.ts";
import {
  firstJournalHash,
  genesisHash,
  type JournalFacts,
  journalHash,
  openingText,
} from "../books/digest.ts";
import type { LedgerHead } from "../rules/head.ts";
import type { Broken } from "./broken.ts";
import { verifyDerived } from "./verifyDerived.ts";
import { verifyRules } from "./verifyRules.ts";
import { type TransferColumns, transferFacts, verifyTransfers } from "./verifyTransfers.ts";

/** What there is, and the first thing that is not as it was written. */
export interface JournalReport {
  entries: number;
  /** Per unit the newest height and its hash: what an anchor elsewhere would vouch for. */
  heads: LedgerHead[];
  /** The same of the rules. */
  rules: { height: number; hash: string };
  broken: Broken | null;
}

interface Row extends TransferColumns {
  height: bigint;
  journal_transfer: bigint;
  journal_debit: bigint;
  journal_credit: bigint;
  moved: bigint;
  debit_entry: bigint | null;
  debit_balance: bigint | null;
  credit_entry: bigint | null;
  credit_balance: bigint | null;
  resolved_at: bigint;
  entry_hash: Uint8Array;
}

/** Entries read at a time. */
const stride = 20_000;

/**
 * Walks every unit's journal from its first entry and computes each hash anew from what the tables hold; then what is bound
 * otherwise: holds, idempotency keys, suspensions, limits and fees, and what is derived from them. Reads one moment's state, beside any number of writers.
 */
export async function verifyJournal(
  sql: Sql,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<JournalReport> {
  return (await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const read = (unit: string, after: number) => tx<Row[]>`
      SELECT t.*, j.height, j.transfer_id AS journal_transfer, j.debit AS journal_debit, j.credit AS journal_credit,
             j.amount AS moved, j.debit_entry, j.debit_balance, j.credit_entry, j.credit_balance, j.resolved_at,
             j.hash AS entry_hash, d.name AS debit_name, c.name AS credit_name
      FROM journal j LEFT JOIN transfer t ON t.id = j.transfer_id
        LEFT JOIN account d ON d.id = t.debit LEFT JOIN account c ON c.id = t.credit
      WHERE j.unit = ${unit} AND j.height > ${after} AND j.height <= ${after + stride} ORDER BY j.height, j.transfer_id`;
    const rows = await tx<HeadRow[]>`
      SELECT unit, height, hash, openings, opening_hash FROM journal_head ORDER BY unit`;
    const heads = rows.map(toHead);
    const [rule] = await tx<
      { rules: bigint; rule_hash: Uint8Array }[]
    >`SELECT rules, rule_hash FROM ledger_head`;
    const rules = { height: Number(rule?.rules ?? 0), hash: rule ? hexOf(rule.rule_hash) : genesisHash };
    const total = heads.reduce((sum, { height }) => sum + height, 0);
    let entries = 0;
    for (const head of heads) {
      const outcome = await walk(head, read, (done) => onProgress(entries + done, total));
      entries += outcome.entries;
      if (outcome.broken) return { entries, heads, rules, broken: outcome.broken };
    }
    const [stray] = await tx<{ unit: string; height: bigint; transfer_id: bigint }[]>`
      SELECT j.unit, j.height, j.transfer_id FROM journal j LEFT JOIN journal_head h USING (unit)
      WHERE j.height > coalesce(h.height, 0) OR j.height < 1 LIMIT 1`;
    if (stray) {
      const { unit, height, transfer_id } = stray;
      return {
        entries,
        heads,
        rules,
        broken: entryBroken(unit, Number(height), transfer_id, "beyond the head"),
      };
    }
    const broken = (await verifyTransfers(tx, heads)) ?? (await verifyRules(tx)) ?? (await verifyDerived(tx));
    return { entries, heads, rules, broken };
  })) as JournalReport;
}

async function walk(
  head: LedgerHead,
  read: (unit: string, after: number) => Promise<readonly Row[]>,
  onProgress: (done: number) => void,
): Promise<{ entries: number; broken: Broken | null }> {
  const { unit } = head;
  let [hash, height, isFirstForm] = [genesisHash, 0, true];
  while (height < head.height) {
    const rows = await read(unit, height);
    const until = Math.min(head.height, height + stride);
    for (const row of rows) {
      if (Number(row.height) !== height + 1)
        return { entries: height, broken: entryBroken(unit, height + 1, null, "missing") };
      const [stored, facts] = [hexOf(row.entry_hash), factsOf(row)];
      const previous = hash;
      hash = facts ? journalHash(previous, row.height, facts, openingText(facts)) : "";
      // The first form ends where the present one begins.
      if (facts && hash !== stored && isFirstForm) hash = firstJournalHash(previous, row.height, facts);
      else isFirstForm = false;
      if (hash !== stored)
        return { entries: height, broken: entryBroken(unit, height + 1, row.journal_transfer, "changed") };
      height += 1;
      if (height === until) break;
    }
    if (height < until) return { entries: height, broken: entryBroken(unit, height + 1, null, "missing") };
    onProgress(height);
  }
  const isWhole = hash === head.hash;
  return { entries: height, broken: isWhole ? null : entryBroken(unit, height, null, "head differs") };
}

const entryBroken = (
  unit: string,
  height: number,
  transferId: bigint | null,
  why: Broken["why"],
): Broken => ({ what: "entry", unit, height, transferId: transferId?.toString() ?? null, why });

/** Null when the transfer, or an account of it, is gone, or the entry names other accounts or another unit than it. */
function factsOf(row: Row): JournalFacts | null {
  const opening = transferFacts(row);
  if (!opening || row.journal_debit !== row.debit || row.journal_credit !== row.credit) return null;
  return {
    ...opening,
    amount: row.moved,
    debitEntry: row.debit_entry,
    debitBalance: row.debit_balance,
    creditEntry: row.credit_entry,
    creditBalance: row.credit_balance,
    resolvedAt: row.resolved_at,
  };
}

interface HeadRow {
  unit: string;
  height: bigint;
  hash: Uint8Array;
  openings: bigint;
  opening_hash: Uint8Array;
}

const toHead = ({ unit, height, hash, openings, opening_hash }: HeadRow): LedgerHead => ({
  unit,
  height: Number(height),
  hash: hexOf(hash),
  openings: Number(openings),
  openingHash: hexOf(opening_hash),
});

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
