import { execFile } from "node:child_process";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../../..");

/** How a command ended, and all that it said. */
export interface Said {
  readonly code: number;
  readonly text: string;
}

/** Runs one of the archive's commands as whoever types it does. */
export const command = (
  name: "archive" | "rebuild",
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Said> =>
  new Promise((done) => {
    const file = join(root, "scripts/ledger/archive", `${name}.ts`);
    execFile(process.execPath, [file, ...args], { env: { ...process.env, ...env } }, (error, out, err) =>
      done({ code: error ? Number(error.code ?? 1) : 0, text: `${out}${err}` }),
    );
  });
