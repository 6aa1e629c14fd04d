import type { MigrationFolder } from "../database/migrations.ts";

/** The tables of locks between instances. */
export const lockMigrations: MigrationFolder = {
  owner: "locks",
  folder: new URL("./migrations/", import.meta.url),
};
