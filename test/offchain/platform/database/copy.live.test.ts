import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyInto } from "#offchain/platform/database/copy.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

let server: TestServer;
let database: TestDatabase;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
  await database.sql`CREATE TABLE copied (small integer, large bigint, one bytea, several bytea)`;
});
afterAll(async () => {
  await database.close();
  await server.stop();
});

interface Row {
  small: number;
  large: number;
  one: string;
  several: string[];
}

function copy(rows: readonly Row[]): Promise<void> {
  return database.sql.begin((tx) =>
    copyInto(tx, "copied", ["small", "large", "one", "several"], rows, (out, row) => {
      out.int4(row.small);
      out.int8(row.large);
      out.bytes(row.one);
      out.joined(row.several);
    }),
  ) as Promise<void>;
}

test("rows arrive as they were, the largest numbers, empty bytes and a field larger than a chunk too", async () => {
  const rows: Row[] = [
    { small: -2, large: 0, one: "0x", several: [] },
    { small: 2 ** 31 - 1, large: Number.MAX_SAFE_INTEGER, one: "0x00ff", several: ["0xaa", "0x", "0xbbcc"] },
    { small: 0, large: 2 ** 32, one: `0x${"ab".repeat(600_000)}`, several: ["0x01"] },
    ...Array.from({ length: 20_000 }, (_, at) => ({ small: at, large: at, one: "0x01", several: ["0x02"] })),
  ];
  await copy(rows);
  const stored = await database.sql<{ small: number; large: bigint; one: Buffer; several: Buffer }[]>`
    SELECT * FROM copied`;
  expect(
    stored.map(({ small, large, one, several }) => [
      small,
      Number(large),
      one.toString("hex"),
      several.toString("hex"),
    ]),
  ).toEqual(
    rows.map(({ small, large, one, several }) => [
      small,
      large,
      one.slice(2),
      several.map((part) => part.slice(2)).join(""),
    ]),
  );
});

test("text that is not hexadecimal is refused", async () => {
  await expect(copy([{ small: 0, large: 0, one: "0xzz", several: [] }])).rejects.toThrow("not hexadecimal");
});

interface Wide {
  text: string;
  number: bigint;
  raw: Uint8Array;
  none: null;
}

test("texts, numbers of any size, bytes and nulls arrive as they were", async () => {
  await database.sql`CREATE TABLE wide (at integer, text text, number numeric(78,0), raw bytea, none text)`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          text: fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
          number: fc.oneof(
            fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }),
            fc.integer({ min: 0, max: 38 }).map((zeros) => 10n ** BigInt(zeros)),
          ),
          raw: fc.uint8Array({ maxLength: 300 }),
          none: fc.constant(null),
        }),
        { maxLength: 30 },
      ),
      async (rows: Wide[]) => {
        await database.sql`TRUNCATE wide`;
        await database.sql.begin((tx) =>
          copyInto(tx, "wide", ["at", "text", "number", "raw", "none"], rows, (out, row, at) => {
            out.int4(at);
            out.text(row.text);
            out.numeric(row.number);
            out.raw(row.raw);
            out.null();
          }),
        );
        const stored = await database.sql<Wide[]>`SELECT text, number, raw, none FROM wide ORDER BY at`;
        expect(stored.map((row) => ({ ...row, raw: Uint8Array.from(row.raw) }))).toEqual(rows);
      },
    ),
    { numRuns: 50 },
  );
});

test("rows that break a rule are refused with the database's error, and the connection goes on", async () => {
  await database.sql`CREATE TABLE once (at integer PRIMARY KEY)`;
  const twice = database.sql.begin((tx) => copyInto(tx, "once", ["at"], [1, 1], (out, at) => out.int4(at)));
  await expect(twice).rejects.toMatchObject({ code: "23505" });
  expect(await database.sql`SELECT * FROM once`).toEqual([]);
});

test("the last of many rows is refused too, and nothing of them is kept", async () => {
  await database.sql`CREATE TABLE many (at integer PRIMARY KEY)`;
  const rows = Array.from({ length: 200_000 }, (_, at) => Math.min(at, 199_998));
  const copy = database.sql.begin((tx) => copyInto(tx, "many", ["at"], rows, (out, at) => out.int4(at)));
  await expect(copy).rejects.toMatchObject({ code: "23505", constraint: "many_pkey" });
  expect(await database.sql`SELECT * FROM many`).toEqual([]);
});

test("rows that cannot be made, and a COPY that is given none, are answered", async () => {
  await database.sql`CREATE TABLE made (at integer)`;
  const failing = database.sql.begin((tx) =>
    copyInto(tx, "made", ["at"], [1, 2], (out, at) => {
      if (at === 2) throw new RangeError("two cannot be made");
      out.int4(at);
    }),
  );
  await expect(failing).rejects.toThrow("two cannot be made");
  await expect(database.sql`COPY made FROM STDIN`).rejects.toMatchObject({ code: "57014" });
  expect(await database.sql`SELECT * FROM made`).toEqual([]);
});

test("queries that are started behind a COPY wait for it", async () => {
  await database.sql`CREATE TABLE counted (at integer)`;
  const rows = Array.from({ length: 50_000 }, (_, at) => at);
  const [, counted] = await database.sql.begin((tx) =>
    Promise.all([
      copyInto(tx, "counted", ["at"], rows, (out, at) => out.int4(at)),
      tx`SELECT count(*)::int AS rows FROM counted`,
    ]),
  );
  expect(counted).toEqual([{ rows: 50_000 }]);
});
