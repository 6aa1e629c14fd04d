import { chainMigrations } from "#offchain/platform/chain/migrations.ts";
import type { Migrations } from "#offchain/platform/database/migrations.ts";
import { lockMigrations } from "#offchain/platform/locks/migrations.ts";
import { requestMigrations } from "#offchain/platform/requests/migrations.ts";
import { features } from "./features.ts";
import added from "./migrations.json" with { type: "json" };

/** What the schema is made of: the platform's tables and each feature's. */
export const migrationsOf = (chosen: readonly { name: string; migrations?: URL }[]): Migrations => ({
  folders: [
    chainMigrations,
    lockMigrations,
    requestMigrations,
    ...chosen.flatMap(({ name, migrations: folder }) => (folder ? [{ owner: name, folder }] : [])),
  ],
  order: Object.keys(added),
});

export const migrations = migrationsOf(features);
