import { hash } from "node:crypto";
import type { LedgerOperation, Metadata } from "../rules/transfer.ts";
import type { JournalLine, TransferState } from "./state.ts";

/** What the hash of a unit's first journal entry follows on. */
export const genesisHash = "0".repeat(64);

/** The first half of a SHA-256 as 32 hexadecimal digits, which PostgreSQL reads as a uuid. */
export const halfDigest = (text: string): string => hash("sha256", text, "hex").slice(0, 32);

/** Names in order, so that the same facts are the same text. */
export function metadataText(metadata: Metadata | null | undefined): string | null {
  if (!metadata) return null;
  const names = Object.keys(metadata);
  if (names.length === 0) return null;
  return JSON.stringify(Object.fromEntries(names.sort().map((name) => [name, metadata[name]])));
}

/** Text with its length in bytes before it, so that no two rows of texts read alike. */
const sized = (text: string | null | undefined): string =>
  text === null || text === undefined ? "-" : `${Buffer.byteLength(text)}:${text}`;

/** Binds a key to the whole request, so that the same key with another request is seen. Fees are ours, not the caller's. */
export function requestDigest(operation: LedgerOperation): string {
  switch (operation.kind) {
    case "transfer":
    case "hold": {
      const { kind, debit, credit, unit, amount, reference, memo, metadata } = operation;
      const expiresAt = (kind === "hold" && operation.expiresAt) || "";
      return halfDigest(
        `${kind}|${debit}|${credit}|${unit}|${amount}|${expiresAt}||${sized(reference)}${sized(memo)}${sized(metadataText(metadata))}`,
      );
    }
    case "reverse": {
      const { transferId, amount = "", reference, memo, metadata } = operation;
      return halfDigest(
        `reverse|${transferId}|${amount}|${sized(reference)}${sized(memo)}${sized(metadataText(metadata))}`,
      );
    }
    case "post":
      return halfDigest(`post|${operation.transferId}|${operation.amount ?? ""}`);
    case "void":
      return halfDigest(`void|${operation.transferId}`);
  }
}

/** All that a transfer says as it is opened. Its accounts' names are bound too: they say whose the ids are. */
export interface OpeningFacts {
  transferId: number | bigint;
  key: string;
  unit: string;
  debit: number | bigint;
  credit: number | bigint;
  debitName: string;
  creditName: string;
  asked: bigint;
  expiresAt: number | bigint | null;
  fee: bigint | null;
  feeOf: number | bigint | null;
  reverses: string | bigint | null;
  createdAt: number | bigint;
  reference: string | null;
  memo: string | null;
  metadata: string | null;
}

/** All that an entry of the journal says of what was moved. */
export interface MovedFacts {
  transferId: number | bigint;
  debit: number | bigint;
  credit: number | bigint;
  amount: bigint;
  debitEntry: number | bigint | null;
  debitBalance: bigint | null;
  creditEntry: number | bigint | null;
  creditBalance: bigint | null;
  resolvedAt: number | bigint;
}

/** All that an entry of the journal says, as the tables hold it. */
export type JournalFacts = OpeningFacts & MovedFacts;

const movedText = (f: MovedFacts): string =>
  `${f.transferId}|${f.debit}|${f.credit}|${f.amount}|${f.debitEntry ?? ""}|${f.debitBalance ?? ""}|${
    f.creditEntry ?? ""
  }|${f.creditBalance ?? ""}|${f.resolvedAt}`;

const describedText = (f: OpeningFacts): string =>
  `${f.createdAt}|${sized(f.reference)}${sized(f.memo)}${sized(f.metadata)}`;

/** What the hashes bind of a transfer as it is opened. */
export const openingText = (f: OpeningFacts): string =>
  `${f.transferId}|${f.unit}|${f.debit}|${f.credit}|${f.asked}|${f.expiresAt ?? ""}|${f.fee ?? ""}|${f.feeOf ?? ""}|${
    f.reverses ?? ""
  }|${sized(f.key)}${sized(f.debitName)}${sized(f.creditName)}|${describedText(f)}`;

/** The hash of an entry that follows `previous` in its unit: it binds the whole transfer and its accounts' names. */
export const journalHash = (
  previous: string,
  height: number | bigint,
  moved: MovedFacts,
  opening: string,
): string => hash("sha256", `entry|${previous}|${height}|${movedText(moved)}|${opening}`, "hex");

/** The form of the first entries, which binds neither names, nor key, nor what the transfer takes back. */
export const firstJournalHash = (previous: string, height: number | bigint, f: JournalFacts): string =>
  hash("sha256", `${previous}|${f.unit}|${height}|${movedText(f)}|${describedText(f)}`, "hex");

/** The hash of a hold that follows `previous` among those of its unit. */
export const openingHash = (previous: string, number: number | bigint, opening: string): string =>
  hash("sha256", `hold|${previous}|${number}|${opening}`, "hex");

/** The hash of a rule that follows `previous`; the same as ledger_note() in the database. */
export const ruleHash = (
  previous: string,
  number: number | bigint,
  rule: { subject: string; facts: string; setAt: number | bigint },
): string =>
  hash("sha256", `${previous}|${number}|${sized(rule.subject)}${sized(rule.facts)}|${rule.setAt}`, "hex");

/** The text of a transfer that is about to be written. */
export function openingTextOf({ id, debit, credit, opened, feeOf }: TransferState): string {
  const { key, unit, amount, expiresAt, fee, reverses, createdAt, reference, memo, metadata } = opened;
  return openingText({
    transferId: id,
    key,
    unit,
    debit: debit.id,
    credit: credit.id,
    debitName: debit.name,
    creditName: credit.name,
    asked: amount,
    expiresAt,
    fee,
    feeOf,
    reverses,
    createdAt,
    reference,
    memo,
    metadata: metadataText(metadata),
  });
}

/** A line that is about to be written. */
export const movedFactsOf = (line: JournalLine): MovedFacts => ({
  transferId: line.state.id,
  debit: line.state.debit.id,
  credit: line.state.credit.id,
  amount: line.amount,
  debitEntry: line.debitEntry,
  debitBalance: line.debitBalance,
  creditEntry: line.creditEntry,
  creditBalance: line.creditBalance,
  resolvedAt: line.resolvedAt,
});
