import type { Sql } from "#offchain/platform/database/database.ts";

/** Everything that the schema is made of, one line each, sorted: two databases with the same lines have one schema. */
export async function describeSchema(sql: Sql): Promise<string> {
  const rows = await sql<{ line: string }[]>`
    SELECT line FROM (
      SELECT 'table ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(c.reloptions::text, '') AS line
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'S')
      UNION ALL
      SELECT 'column ' || c.relname || '.' || a.attname || ' '
        || lpad(row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)::text, 2, '0') || ' '
        || format_type(a.atttypid, a.atttypmod)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || CASE WHEN a.attidentity::text = '' THEN '' ELSE ' identity ' || a.attidentity::text END
        || ' storage ' || a.attstorage::text || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
      UNION ALL
      SELECT 'constraint ' || k.conrelid::regclass::text || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid)
      FROM pg_constraint k WHERE k.connamespace = 'public'::regnamespace AND k.conrelid <> 0
      UNION ALL
      SELECT 'index ' || pg_get_indexdef(i.indexrelid)
      FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace
      UNION ALL
      SELECT 'view ' || c.relname || ' ' || pg_get_viewdef(c.oid)
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
      UNION ALL
      SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
      UNION ALL
      SELECT 'trigger ' || pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
    ) lines ORDER BY line COLLATE "C"`;
  return `${rows.map(({ line }) => line.trimEnd()).join("\n")}\n`;
}
