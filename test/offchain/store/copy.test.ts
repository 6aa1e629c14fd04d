import { afterAll, beforeAll, expect, test } from "vitest";
import { copyInto } from "#offchain/store/copy.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../support/database.ts";

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
