import { DatabaseError } from "pg";
import { expect, test, vi } from "vitest";
import { databaseCheck } from "#offchain/platform/database/check.ts";
import {
  ConnectionError,
  isStalePlan,
  PostgresError,
  refusalOf,
} from "#offchain/platform/database/driver/errors.ts";
import type { Sql } from "#offchain/platform/database/sql.ts";

const told = (fields: Partial<DatabaseError>): DatabaseError =>
  Object.assign(new (DatabaseError as unknown as new (message: string) => DatabaseError)("told"), fields);

test("a refusal keeps what the server said, and the statement without its parameters", () => {
  const said = { code: "23505", severity: "ERROR", detail: "Key …", table: "note", constraint: "note_pkey" };
  const refusal = refusalOf(told(said), "INSERT INTO note VALUES ($1)");
  expect(refusal).toBeInstanceOf(PostgresError);
  expect(refusal).toMatchObject({ ...said, message: "told", query: "INSERT INTO note VALUES ($1)" });
});

test("the last words of a connection are its loss, as is any error of its socket", () => {
  const words = told({ severity: "FATAL", code: "57P01" });
  for (const cause of [words, Object.assign(new Error("read"), { code: "ECONNRESET" })]) {
    const refusal = refusalOf(cause, "SELECT 1");
    expect(refusal).toBeInstanceOf(ConnectionError);
    expect(refusal).toMatchObject({ code: "STORE_UNAVAILABLE", fault: "CONNECTION_LOST", cause });
    expect(refusalOf(refusal, "SELECT 2")).toBe(refusal);
  }
});

test("a server that has run short is away for the moment, and health says of what, until it has room again", async () => {
  vi.useFakeTimers();
  const sql = (async () => []) as unknown as Sql;
  const check = databaseCheck(sql);
  expect(await check()).toEqual({});
  for (const code of ["53100", "53200", "53300"]) {
    const cause = told({ severity: "ERROR", code, message: `short by ${code}` });
    expect(refusalOf(cause, "INSERT")).toMatchObject({
      code: "STORE_UNAVAILABLE",
      remedy: "retry",
      facts: { sqlState: code },
    });
    expect(await check()).toEqual({ status: "degraded", detail: { shortage: `short by ${code}` } });
  }
  vi.advanceTimersByTime(30_000);
  expect(await check()).toEqual({});
  vi.useRealTimers();
});

test("a plan is stale when the server's planner says so, and by nothing else", () => {
  const refused = (routine: string) => refusalOf(told({ code: "0A000", routine }), "SELECT 1");
  expect(isStalePlan(refused("RevalidateCachedQuery"))).toBe(true);
  expect(isStalePlan(refused("ExecutorStart"))).toBe(false);
  expect(isStalePlan(new Error("RevalidateCachedQuery"))).toBe(false);
});
