// Whether every migration is as it was when it was added: `node scripts/check/migrations.ts`, and `--add` for new ones.
import { readFile, writeFile } from "node:fs/promises";
import { migrations } from "#offchain/app/migrations.ts";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { type Migration, readMigrations } from "#offchain/platform/database/migrations.ts";

/** Name and SHA-256 of every migration that was ever added. */
export const listFile = new URL("../../offchain/app/migrations.json", import.meta.url);

type Listed = Readonly<Record<string, string>>;

/** What is wrong with the migrations, a sentence each; none when all are as they are listed. */
export function migrationFaults(listed: Listed, found: readonly Migration[]): string[] {
  const checksums = new Map(found.map(({ name, checksum }) => [name, checksum]));
  const kept = Object.entries(listed).flatMap(([name, checksum]) => {
    const now = checksums.get(name);
    if (now === undefined) return [`${name} is gone: never remove a migration, add one`];
    return now === checksum ? [] : [`${name} has changed: never edit a migration, add one`];
  });
  const unlisted = found
    .filter(({ name }) => !(name in listed))
    .map(({ name }) => `${name} is not listed: add it with node scripts/check/migrations.ts --add`);
  return [...kept, ...unlisted];
}

export async function readListed(): Promise<Listed> {
  return JSON.parse(await readFile(listFile, "utf8")) as Listed;
}

/** Lists the migrations that are new after the others; those that are listed stay as and where they are. */
async function add(): Promise<void> {
  const listed = await readListed();
  const found = await readMigrations(migrations);
  const added = found.filter(({ name }) => !(name in listed));
  const all = { ...listed, ...Object.fromEntries(added.map(({ name, checksum }) => [name, checksum])) };
  await writeFile(listFile, `${JSON.stringify(all, null, 2)}\n`);
}

if (import.meta.main) {
  const values = readCommand("node scripts/check/migrations.ts [--add]", {
    add: { type: "boolean", default: false },
  });
  if (values.add) await add();
  const faults = migrationFaults(await readListed(), await readMigrations(migrations));
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
