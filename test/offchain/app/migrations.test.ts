import { expect, test } from "vitest";
import { features } from "#offchain/app/features.ts";
import { migrations } from "#offchain/app/migrations.ts";
import { readMigrations } from "#offchain/platform/database/migrations.ts";
import { migrationFaults, readListed } from "../../../scripts/check/migrations.ts";

test("every migration is as it was when it was added", async () => {
  expect(migrationFaults(await readListed(), await readMigrations(migrations))).toEqual([]);
});

test("they are applied in the order in which they were added, whosever they are, and the unlisted ones last", async () => {
  const listed = Object.keys(await readListed());
  const names = async (order: readonly string[]) =>
    (await readMigrations({ ...migrations, order })).map(({ name }) => name);
  expect(await names(migrations.order)).toEqual(listed);
  expect(listed.indexOf("chain/0002_chain_run.sql")).toBeGreaterThan(
    listed.indexOf("solvency/0001_solvency.sql"),
  );
  expect((await names(listed.slice(0, 3))).slice(0, 3)).toEqual(listed.slice(0, 3));
});

test("without a list the platform's tables come first, then the features' in their order", async () => {
  const found = await readMigrations({ ...migrations, order: [] });
  const owners = [...new Set(found.map(({ name }) => name.split("/")[0]))];
  const ordered = features.map(({ name }) => name as string).filter((name) => owners.includes(name));
  expect(owners).toEqual(["chain", "locks", "requests", ...ordered]);
});

test("an edited, a removed and an unlisted migration are each named with what to do", () => {
  const listed = { "a/0001_a.sql": "11", "a/0002_b.sql": "22", "b/0001_b.sql": "33" };
  const found = [
    { name: "a/0001_a.sql", text: "", checksum: "11" },
    { name: "a/0002_b.sql", text: "", checksum: "99" },
    { name: "c/0001_c.sql", text: "", checksum: "44" },
  ];
  expect(migrationFaults(listed, found)).toEqual([
    "a/0002_b.sql has changed: never edit a migration, add one",
    "b/0001_b.sql is gone: never remove a migration, add one",
    "c/0001_c.sql is not listed: add it with node scripts/check/migrations.ts --add",
  ]);
});
