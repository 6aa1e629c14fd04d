import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { readMigrations } from "#offchain/platform/database/migrations.ts";
import { archivedTables, type Origin, origins } from "../../../../scripts/ledger/archive/tables.ts";

const root = join(import.meta.dirname, "../../../..");

/** What a reader is told of a table. */
function rowOf([table, origin]: [string, Origin]): string {
  const told = {
    chain: () => "the chain's events",
    archive: () => "the archive, as it stood",
    both: () => (origin.from === "both" ? origin.how : ""),
    nothing: () => (origin.from === "nothing" ? `not rebuilt: ${origin.why}` : ""),
  }[origin.from]();
  return `| \`${table}\` | ${told} | ${comparedOf(origin)} |`.replace(/ +/g, " ");
}

function comparedOf(origin: Origin): string {
  if (origin.from === "nothing") return "";
  const rows = origin.from === "both" ? origin.rows : origin;
  if (rows === null) return "no";
  if (typeof rows === "string") return "yes";
  const omitted = (rows.omit ?? []).map((column) => `\`${column}\``).join(", ");
  return omitted === "" ? "yes" : `but ${omitted}`;
}

/** The tables that are there once all migrations are applied, and the one that lists these. */
async function tablesMade(): Promise<string[]> {
  const tables = new Set(["migration"]);
  const change = /\b(?:CREATE TABLE (\w+)|DROP TABLE (\w+)|ALTER TABLE (\w+) RENAME TO (\w+))/g;
  for (const { text } of await readMigrations(migrations))
    for (const [, made, dropped, old, renamed] of text.replace(/--.*$/gm, "").matchAll(change)) {
      tables.delete(dropped ?? old ?? "");
      tables.add(made ?? renamed ?? "migration");
    }
  return [...tables];
}

test("every table of the migrations has its place: who adds one says what it is rebuilt from", async () => {
  const tables = await tablesMade();
  expect(tables.length).toBeGreaterThan(50);
  expect(Object.keys(origins).toSorted()).toEqual(tables.toSorted());
});

test("every table that comes from the archive is archived, and no other", () => {
  const fromArchive = Object.entries(origins).flatMap(([table, { from }]) =>
    from === "archive" ? table : [],
  );
  expect([...archivedTables].toSorted()).toEqual(fromArchive.toSorted());
});

test("the page of the archive says of every table what the rebuild does with it", async () => {
  const page = await readFile(join(root, "docs/archive.md"), "utf8");
  const told = page
    .split("\n")
    .filter((line) => /^\| `\w+` /.test(line))
    .map((line) => line.replace(/ +/g, " "));
  expect(told).toEqual(Object.entries(origins).map(rowOf));
});
