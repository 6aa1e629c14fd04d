import type { Sql } from "#offchain/platform/database/database.ts";
import { genesisHash, type JournalFacts, journalHash } from "../books/digest.ts";

/** The first entry that is not what its hash says, or the place where one is missing. */
export interface BrokenEntry {
  unit: string;
  height: number;
  transferId: string | null;
  why: "changed" | "missing" | "beyond the head" | "head differs";
}

export interface JournalReport {
  entries: number;
  /** Per unit the newest height and its hash: what an anchor elsewhere would vouch for. */
  heads: { unit: string; height: number; hash: string }[];
  broken: BrokenEntry | null;
}

interface Row {
  height: bigint;
  transfer_id: bigint;
  debit: bigint;
  credit: bigint;
  amount: bigint;
  debit_entry: bigint | null;
  debit_balance: bigint | null;
  credit_entry: bigint | null;
  credit_balance: bigint | null;
  resolved_at: bigint;
  hash: Uint8Array;
  created_at: bigint | null;
  reference: string | null;
  memo: string | null;
  metadata: string | null;
}

/** Entries read at a time. */
const stride = 20_000;

/**
 * Walks every unit's journal from its first entry and computes each hash anew from what the tables hold. Reads one
 * moment's state, beside any number of writers.
 */
export async function verifyJournal(
  sql: Sql,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<JournalReport> {
  return (await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const read = (unit: string, after: number) => tx<Row[]>`
      SELECT j.*, t.created_at, t.reference, t.memo, t.metadata
      FROM journal j LEFT JOIN transfer t ON t.id = j.transfer_id
      WHERE j.unit = ${unit} AND j.height > ${after} AND j.height <= ${after + stride} ORDER BY j.height, j.transfer_id`;
    const rows = await tx<{ unit: string; height: bigint; hash: Uint8Array }[]>`
      SELECT unit, height, hash FROM journal_head ORDER BY unit`;
    const heads = rows.map(({ unit, height, hash }) => ({ unit, height: Number(height), hash: hexOf(hash) }));
    const total = heads.reduce((sum, { height }) => sum + height, 0);
    let entries = 0;
    for (const head of heads) {
      const outcome = await walk(head, read, (done) => onProgress(entries + done, total));
      entries += outcome.entries;
      if (outcome.broken) return { entries, heads, broken: outcome.broken };
    }
    const [stray] = await tx<{ unit: string; height: bigint; transfer_id: bigint }[]>`
      SELECT j.unit, j.height, j.transfer_id FROM journal j LEFT JOIN journal_head h USING (unit)
      WHERE j.height > coalesce(h.height, 0) OR j.height < 1 LIMIT 1`;
    if (!stray) return { entries, heads, broken: null };
    const { unit, height, transfer_id } = stray;
    return { entries, heads, broken: broken(unit, Number(height), transfer_id, "beyond the head") };
  })) as JournalReport;
}

async function walk(
  head: { unit: string; height: number; hash: string },
  read: (unit: string, after: number) => Promise<readonly Row[]>,
  onProgress: (done: number) => void,
): Promise<{ entries: number; broken: BrokenEntry | null }> {
  const { unit } = head;
  let [hash, height] = [genesisHash, 0];
  while (height < head.height) {
    const rows = await read(unit, height);
    const until = Math.min(head.height, height + stride);
    for (const row of rows) {
      if (Number(row.height) !== height + 1)
        return { entries: height, broken: broken(unit, height + 1, null, "missing") };
      hash = journalHash(hash, unit, row.height, factsOf(row));
      if (hash !== hexOf(row.hash) || row.created_at === null)
        return { entries: height, broken: broken(unit, height + 1, row.transfer_id, "changed") };
      height += 1;
      if (height === until) break;
    }
    if (height < until) return { entries: height, broken: broken(unit, height + 1, null, "missing") };
    onProgress(height);
  }
  const isWhole = hash === head.hash;
  return { entries: height, broken: isWhole ? null : broken(unit, height, null, "head differs") };
}

const broken = (
  unit: string,
  height: number,
  transferId: bigint | null,
  why: BrokenEntry["why"],
): BrokenEntry => ({ unit, height, transferId: transferId?.toString() ?? null, why });

const factsOf = (row: Row): JournalFacts => ({
  transferId: row.transfer_id,
  debit: row.debit,
  credit: row.credit,
  amount: row.amount,
  debitEntry: row.debit_entry,
  debitBalance: row.debit_balance,
  creditEntry: row.credit_entry,
  creditBalance: row.credit_balance,
  resolvedAt: row.resolved_at,
  createdAt: row.created_at ?? 0n,
  reference: row.reference,
  memo: row.memo,
  metadata: row.metadata,
});

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
