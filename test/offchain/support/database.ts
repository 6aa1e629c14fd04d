import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { open, type Sql } from "#offchain/store/database.ts";
export async function openTestDatabase(): Promise<{ sql: Sql; url: string; close(): Promise<void> }> {
  const admin = open("postgres://postgres@127.0.0.1:18550/postgres");
  const name = `t${randomBytes(6).toString("hex")}`;
  await admin.unsafe(`create database ${name}`);
  await admin.end();
  const url = `postgres://postgres@127.0.0.1:18550/${name}`;
  const sql = open(url);
  await sql.unsafe(
    await readFile(new URL("../../../offchain/store/migrations/0010_chain.sql", import.meta.url), "utf8"),
  );
  return { sql, url, close: () => sql.end() };
}
