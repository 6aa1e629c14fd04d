import type { MigrationFolder } from "../database/migrations.ts";

/** The tables of what the chains said and of what is sent to them. */
export const chainMigrations: MigrationFolder = {
  owner: "chain",
  folder: new URL("./migrations/", import.meta.url),
};
