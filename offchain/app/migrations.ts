import { chainMigrations } from "#offchain/platform/chain/migrations.ts";
import type { MigrationFolder } from "#offchain/platform/database/migrations.ts";
import { lockMigrations } from "#offchain/platform/locks/migrations.ts";
import { features } from "./features.ts";

/** What the schema is made of, in the order in which it is applied: the platform's tables, then each feature's. */
export const migrationsOf = (
  chosen: readonly { name: string; migrations?: URL }[],
): readonly MigrationFolder[] => [
  chainMigrations,
  lockMigrations,
  ...chosen.flatMap(({ name, migrations: folder }) => (folder ? [{ owner: name, folder }] : [])),
];

export const migrations = migrationsOf(features);
