import { hash } from "node:crypto";
import type { LedgerOperation, Metadata } from "../rules/transfer.ts";
import type { JournalLine } from "./state.ts";

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

/** All that an entry of the journal says, as the tables hold it. */
export interface JournalFacts {
  transferId: number | bigint;
  debit: number | bigint;
  credit: number | bigint;
  amount: bigint;
  debitEntry: number | bigint | null;
  debitBalance: bigint | null;
  creditEntry: number | bigint | null;
  creditBalance: bigint | null;
  resolvedAt: number | bigint;
  createdAt: number | bigint;
  reference: string | null;
  memo: string | null;
  metadata: string | null;
}

/** The hash of an entry that follows `previous`; the same as journal_hash() in the database. */
export function journalHash(
  previous: string,
  unit: string,
  height: number | bigint,
  f: JournalFacts,
): string {
  return hash(
    "sha256",
    `${previous}|${unit}|${height}|${f.transferId}|${f.debit}|${f.credit}|${f.amount}|${f.debitEntry ?? ""}|${
      f.debitBalance ?? ""
    }|${f.creditEntry ?? ""}|${f.creditBalance ?? ""}|${f.resolvedAt}|${f.createdAt}|${sized(f.reference)}${sized(f.memo)}${sized(
      f.metadata,
    )}`,
    "hex",
  );
}

/** A line that is about to be written. */
export function factsOf(line: JournalLine): JournalFacts {
  const { state, amount, debitEntry, debitBalance, creditEntry, creditBalance, resolvedAt } = line;
  const { createdAt, reference, memo, metadata } = state.opened;
  return {
    transferId: state.id,
    debit: state.debit.id,
    credit: state.credit.id,
    amount,
    debitEntry,
    debitBalance,
    creditEntry,
    creditBalance,
    resolvedAt,
    createdAt,
    reference,
    memo,
    metadata: metadataText(metadata),
  };
}
