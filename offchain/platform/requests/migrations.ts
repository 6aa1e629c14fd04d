import type { MigrationFolder } from "../database/migrations.ts";

/** The table of signed requests that were let in. */
export const requestMigrations: MigrationFolder = {
  owner: "requests",
  folder: new URL("./migrations/", import.meta.url),
};
