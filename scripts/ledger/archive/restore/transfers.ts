import type { LedgerOperation, LedgerOutcome } from "#offchain/features/ledger/rules/transfer.ts";
import type { KeptBooks, Ledger } from "#offchain/features/ledger/service.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { ArchiveFault, type Line } from "../files.ts";

/** A line of kind `transfer` or `resolved`: see take.ts. */
interface TransferLine {
  readonly kind: string;
  readonly id: string;
  readonly key: string;
  readonly isHeld: boolean;
  readonly debit: string;
  readonly credit: string;
  readonly unit: string;
  readonly amount: string;
  readonly fee: { readonly credit: string; readonly amount: string } | null;
  readonly reverses: string | null;
  readonly reference: string | null;
  readonly memo: string | null;
  readonly metadata: string | null;
  readonly expiresAt: number | null;
  readonly at: number;
}

/**
 * Does again what moved the ledger's own accounts, each at the time at which it was done. Limits and suspensions are not set
 * yet: what was allowed then stays allowed.
 */
export class TransferReplay {
  readonly #sql: Sql;
  readonly #books: KeptBooks;
  #group: TransferLine[] = [];
  count = 0;

  constructor(sql: Sql, ledger: Pick<Ledger, "keepBooks">) {
    this.#sql = sql;
    this.#books = ledger.keepBooks();
  }

  /** Lines in their order. @param done the newest transfer that the books had before */
  async add(lines: readonly Line[], done: bigint): Promise<void> {
    await this.#sql.begin(async (tx) => {
      await this.#books.take(tx);
      const wanted = await missing(tx, lines as unknown as readonly TransferLine[], done);
      this.count += wanted.length;
      for (const line of wanted) {
        if (!this.#goesWith(line)) await this.#apply(tx);
        this.#group.push(line);
      }
      await this.#apply(tx);
    });
  }

  /** What is of one moment goes together, unless it needs the id of what was begun in it. */
  #goesWith(line: TransferLine): boolean {
    const needed = line.kind === "resolved" ? line.key : line.reverses;
    return this.#group.every(({ at, key }) => at === line.at && key !== needed);
  }

  async #apply(tx: Tx): Promise<void> {
    const group = this.#group;
    const [first] = group;
    if (!first) return;
    this.#group = [];
    const ids = await idsOf(tx, group);
    const outcomes = await this.#books.apply(
      tx,
      group.map((line) => operationOf(line, ids)),
      first.at,
      false,
    );
    for (const [index, outcome] of outcomes.entries()) assertDone(group[index] as TransferLine, outcome);
  }
}

/** The lines that are not done: a backup has its transfers by the same numbers, and some of them were resolved after it. */
async function missing(tx: Tx, lines: readonly TransferLine[], done: bigint): Promise<TransferLine[]> {
  const isOlder = ({ id }: TransferLine) => BigInt(id) <= done;
  const older = lines.filter((line) => line.kind === "resolved" && isOlder(line));
  const resolved = await tx<{ id: bigint }[]>`
    SELECT transfer_id AS id FROM journal WHERE transfer_id = ANY(${older.map(({ id }) => id)}::bigint[])`;
  const known = new Set(resolved.map(({ id }) => id.toString()));
  return lines.filter((line) => !isOlder(line) || (line.kind === "resolved" && !known.has(line.id)));
}

/** By key: the transfers that are to be resolved or taken back. */
async function idsOf(tx: Tx, group: readonly TransferLine[]): Promise<Map<string, string>> {
  const keys = group.flatMap(({ kind, key, reverses }) => (kind === "resolved" ? key : (reverses ?? [])));
  if (keys.length === 0) return new Map();
  const rows = await tx<{ key: string; id: bigint }[]>`
    SELECT w.key, k.transfer_id AS id FROM unnest(${keys}::text[]) AS w(key)
    JOIN ledger_key k ON k.digest = half_digest(w.key)`;
  return new Map(rows.map(({ key, id }) => [key, id.toString()]));
}

function operationOf(line: TransferLine, ids: ReadonlyMap<string, string>): LedgerOperation {
  const amount = BigInt(line.amount);
  if (line.kind === "resolved") {
    const transferId = known(ids, line.key);
    const key = `restored:${line.id}`;
    return amount === 0n ? { kind: "void", key, transferId } : { kind: "post", key, transferId, amount };
  }
  const described = {
    ...(line.reference !== null && { reference: line.reference }),
    ...(line.memo !== null && { memo: line.memo }),
    ...(line.metadata !== null && { metadata: JSON.parse(line.metadata) as Record<string, string> }),
  };
  if (line.reverses !== null)
    return { kind: "reverse", key: line.key, ...described, transferId: known(ids, line.reverses), amount };
  const movement = { debit: line.debit, credit: line.credit, unit: line.unit, amount };
  const fee = line.fee && { fee: { credit: line.fee.credit, amount: BigInt(line.fee.amount) } };
  const expiry = line.expiresAt !== null && { expiresAt: line.expiresAt };
  const kind = line.isHeld ? { kind: "hold", ...expiry } : { kind: "transfer" };
  return { key: line.key, ...described, ...movement, ...fee, ...kind } as LedgerOperation;
}

function known(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  if (id === undefined)
    throw new ArchiveFault(`a line names the transfer "${key}", which no line before it made`);
  return id;
}

/** A key that was forgotten and used again would be taken for a repetition: that is told, and not guessed at. */
function assertDone({ kind, id, key }: TransferLine, outcome: LedgerOutcome): void {
  if (!outcome.ok)
    throw new ArchiveFault(`the ledger refuses transfer ${id} "${key}" (${kind}): ${outcome.error.message}`);
  if (outcome.replayed) throw new ArchiveFault(`transfer ${id} has the key "${key}" of an earlier one`);
}
