import { execFile } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../../../..");

/** How a command ended, and all that it said. */
export interface Said {
  readonly code: number;
  readonly text: string;
}

/** Runs one of the archive's commands as whoever types it does. */
export const command = (name: "archive" | "rebuild", args: readonly string[]): Promise<Said> =>
  run(join(root, "scripts/ledger/archive", `${name}.ts`), args);

/** Runs a file with Node. */
export const run = (file: string, args: readonly string[]): Promise<Said> =>
  new Promise((done) => {
    execFile(process.execPath, [file, ...args], (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: `${out}${err}` }),
    );
  });
