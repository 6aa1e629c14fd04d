import { createHash } from "node:crypto";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

/** Names what was made from these files (patterns from the root), so that it is made again when one of them changes. */
export async function fingerprintOf(patterns: readonly string[]): Promise<string> {
  const files: string[] = [];
  for await (const name of glob(patterns, { cwd: root })) files.push(name);
  const hash = createHash("sha256");
  for (const name of new Set(files.toSorted())) hash.update(await readFile(join(root, name)));
  return hash.digest("hex").slice(0, 16);
}
