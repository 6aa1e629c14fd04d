import { z } from "zod";
import { action } from "#offchain/core/action.ts";
import { page, pageOf, queriedMs, unit } from "#offchain/core/schema.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { accountName, entry, entryView } from "../schema.ts";
import type { Entry, Ledger } from "../service.ts";
import { accountFor } from "./access.ts";

const query = z.object({
  account: accountName.optional(),
  unit,
  /** Epoch ms, included; excluded. */
  from: queriedMs.optional(),
  to: queriedMs.optional(),
  ...page,
});

const nextOf = (entries: readonly Entry[], limit: number): string | null =>
  entries.length === limit ? (entries.at(-1)?.number.toString() ?? null) : null;

export const listTransactions = action({
  name: "ledger.transactions",
  summary: "An account's entries, newest first",
  effect: "read",
  resource: "/api/v1/token/transactions",
  role: "agent",
  input: query,
  output: pageOf(entry),
  run: async (ledger: Ledger, caller, { cursor, ...input }) => {
    const account = accountFor(caller, input.account);
    const entries = await ledger.entries({ ...input, account, before: cursor });
    return { items: entries.map(entryView), next: nextOf(entries, input.limit) };
  },
});

export const exportStatement = action({
  name: "ledger.export",
  summary: "An account's entries as the text of a CSV (RFC 4180) or JSON file, a page at a time",
  effect: "read",
  resource: "/api/v1/ledger/statement",
  role: "agent",
  input: query.extend({ format: z.enum(["csv", "json"]).default("csv") }),
  output: z.object({ contentType: z.string(), text: z.string(), next: z.string().nullable() }),
  run: async (ledger: Ledger, caller, { cursor, format, ...input }) => {
    const account = accountFor(caller, input.account);
    const entries = await ledger.entries({ ...input, account, before: cursor });
    return {
      contentType: format === "csv" ? "text/csv; charset=utf-8; header=present" : "application/json",
      text: format === "csv" ? csv(entries) : JSON.stringify(entries.map(entryView)),
      next: nextOf(entries, input.limit),
    };
  },
});

const header = "number,postedAt,transferId,counterparty,unit,amount,balanceAfter,reference,memo";

function csv(entries: readonly Entry[]): string {
  const lines = entries.map((line) =>
    [
      line.number.toString(),
      new Date(line.postedAt).toISOString(),
      line.transferId,
      line.counterparty,
      line.unit,
      formatAmount(line.amount, line.unit),
      formatAmount(line.balanceAfter, line.unit),
      inert(line.reference ?? ""),
      inert(line.memo ?? ""),
    ]
      .map(quoted)
      .join(","),
  );
  return [header, ...lines, ""].join("\r\n");
}

/** Spreadsheets run what begins like a formula; a quote before it keeps it text. */
const inert = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

const quoted = (field: string): string =>
  /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
