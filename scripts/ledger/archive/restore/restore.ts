import type { Sql } from "#offchain/platform/database/database.ts";
import { type Chained, type Head, type Line, type Read, readChain } from "../files.ts";
import type { Followed } from "./follow.ts";
import { PaymentReplay } from "./payments.ts";
import {
  adoptTreasury,
  insertArchived,
  insertBatches,
  liftRules,
  moveSequences,
  restoreAccount,
  restoreEpoch,
} from "./state.ts";
import { TransferReplay } from "./transfers.ts";

/** Lines that are in memory at once. */
const groupMax = 500;

/** What was put back from an archive. */
export interface Restored {
  readonly payments: number;
  readonly transfers: number;
  readonly stateLines: number;
  readonly uncovered: number;
  readonly unconfirmed: number;
}

/** How far a restored backup had come before anything was added to it. */
export interface Mark {
  readonly payment: bigint;
  readonly transfer: bigint;
}

/** Of an empty database. */
export const nothingYet: Mark = { payment: 0n, transfer: 0n };

export async function markOf(sql: Sql): Promise<Mark> {
  const [mark] = await sql<Mark[]>`
    SELECT coalesce((SELECT max(id) FROM payment), 0) AS payment, last_transfer AS transfer FROM ledger_head`;
  return mark ?? nothingYet;
}

/**
 * Puts what an archive knows into a database that holds what the chain knows. Each line is checked against the one before
 * it, each voucher against its signer, each of the ledger's own accounts against what it held.
 * @param mark what is in the database already, which is a restored backup then
 * @throws ArchiveFault
 */
export async function restoreArchive(
  followed: Followed,
  folder: string,
  head: Head,
  { mark, told }: { mark: Mark; told: (lines: number, of: number) => void },
): Promise<Restored> {
  const { sql } = followed.platform;
  const total = head.journal.lines + 2 * head.state.lines;
  let done = 0;
  const eachGroup = async (chain: Chained, put: (kind: string, group: readonly Read[]) => Promise<void>) => {
    for await (const [kind, group] of groupsOf(folder, chain)) {
      await put(kind, group);
      done += group.length;
      told(done, total);
    }
  };
  await eachGroup(head.state, async (kind, group) => {
    if (kind === "adopted") for (const { line } of group) await adoptTreasury(followed, line);
    if (kind === "batch") await insertBatches(followed, group);
  });
  await liftRules(sql, head.takenAt);
  const payments = new PaymentReplay(followed);
  const [first] = followed.chains;
  const transfers = new TransferReplay(sql, followed.servicesOn(first?.chainId ?? 0).ledger);
  await eachGroup(head.journal, (kind, group) => {
    const lines = group.map(({ line }) => line);
    return kind === "payment"
      ? payments.add(lines.filter(({ id }) => BigInt(id as string) > mark.payment))
      : transfers.add(lines, mark.transfer);
  });
  await eachGroup(head.state, async (kind, group) => {
    if (kind === "account") for (const { line } of group) await restoreAccount(sql, line);
    if (kind === "row") await insertArchived(followed, tableOf(group[0]?.line), group);
    if (kind === "epoch") for (const read of group) await restoreEpoch(followed, read);
  });
  await payments.finish();
  await moveSequences(sql);
  return {
    payments: payments.count,
    transfers: transfers.count,
    stateLines: head.state.lines,
    uncovered: payments.uncovered,
    unconfirmed: payments.check.unconfirmed,
  };
}

const tableOf = (line: Line | undefined): string => String(line?.table ?? "");

/** Lines of one sort that follow each other; the ledger's lines of both kinds are one sort. */
async function* groupsOf(folder: string, chain: Chained): AsyncGenerator<[string, Read[]]> {
  const sortOf = ({ kind, table }: Line) => `${kind === "resolved" ? "transfer" : kind} ${table ?? ""}`;
  let group: Read[] = [];
  for await (const read of readChain(folder, chain)) {
    const [first] = group;
    if (first && (sortOf(first.line) !== sortOf(read.line) || group.length === groupMax)) {
      yield [first.line.kind, group];
      group = [];
    }
    group.push(read);
  }
  const [first] = group;
  if (first) yield [first.line.kind, group];
}
