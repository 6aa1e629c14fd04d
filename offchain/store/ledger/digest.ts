import { hash } from "node:crypto";
import type { LedgerOperation, Metadata } from "#offchain/domain/ledger.ts";
import type { UnitCode } from "#offchain/domain/unit.ts";
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

/** The hash of a journal line that follows `previous`; the same as journal_hash() in the database. */
export function journalHash(previous: string, unit: UnitCode, height: number, line: JournalLine): string {
  const { state } = line;
  const { createdAt, reference, memo, metadata } = state.opened;
  return hash(
    "sha256",
    `${previous}|${unit}|${height}|${state.id}|${state.debit.id}|${state.credit.id}|${line.amount}|${line.debitEntry ?? ""}|${
      line.debitBalance ?? ""
    }|${line.creditEntry ?? ""}|${line.creditBalance ?? ""}|${line.resolvedAt}|${createdAt}|${sized(reference)}${sized(memo)}${sized(
      metadataText(metadata),
    )}`,
    "hex",
  );
}
