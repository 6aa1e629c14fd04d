import { list } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { genesisHash } from "../books/digest.ts";
import type { LedgerHead } from "../rules/head.ts";

interface Row {
  unit: string;
  height: bigint;
  hash: string | null;
  openings: bigint;
  opening_hash: string | null;
}

/** The name among heads under which the chain of rules goes: no unit is called so. */
const rules = "rules";

/** The newest hashes of all units and of the rules, of one moment, in the order of their names. */
export async function readHeads(sql: Sql): Promise<LedgerHead[]> {
  const rows = await sql<Row[]>`
    SELECT unit, height, encode(hash, 'hex') AS hash, openings, encode(opening_hash, 'hex') AS opening_hash FROM journal_head
    UNION ALL SELECT ${rules}, rules, encode(rule_hash, 'hex'), 0, ${genesisHash} FROM ledger_head
    ORDER BY unit`;
  return rows.map(headOf);
}

/** The hashes that stand now at the heights of these heads; empty where there are not so many any more. */
export async function readHeadsAt(sql: Sql, heads: readonly LedgerHead[]): Promise<LedgerHead[]> {
  const rows = await sql<Row[]>`
    WITH wanted AS (
      SELECT * FROM unnest(${heads.map(({ unit }) => unit)}::text[], ${list(heads.map(({ height }) => height))}::bigint[],
        ${list(heads.map(({ openings }) => openings))}::bigint[]) AS w(unit, height, openings)
    ), held AS (
      SELECT unit, hash, row_number() OVER (PARTITION BY unit ORDER BY id) AS number FROM transfer
      WHERE hash IS NOT NULL AND unit IN (SELECT unit FROM wanted WHERE openings > 0)
    )
    SELECT w.unit, w.height, w.openings,
      CASE WHEN w.height = 0 THEN ${genesisHash}
        WHEN w.unit = ${rules} THEN (SELECT encode(r.hash, 'hex') FROM ledger_rule r WHERE r.number = w.height)
        ELSE (SELECT encode(j.hash, 'hex') FROM journal j WHERE j.unit = w.unit AND j.height = w.height) END AS hash,
      CASE WHEN w.openings = 0 THEN ${genesisHash}
        ELSE (SELECT encode(h.hash, 'hex') FROM held h WHERE h.unit = w.unit AND h.number = w.openings) END AS opening_hash
    FROM wanted w ORDER BY w.unit`;
  return rows.map(headOf);
}

const headOf = ({ unit, height, hash, openings, opening_hash }: Row): LedgerHead => ({
  unit,
  height: Number(height),
  hash: hash ?? "",
  openings: Number(openings),
  openingHash: opening_hash ?? "",
});
