import { readFile } from "node:fs/promises";

/** The end of a log, for whoever reads why something failed. */
export const tail = async (file: string): Promise<string> =>
  (await readFile(file, "utf8").catch(() => "")).slice(-3_000);
