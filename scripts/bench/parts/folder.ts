import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";

const data = join(import.meta.dirname, "../../../data");

/** A new folder for one run's database, keys and logs, also where `data/` does not exist yet. */
export async function benchFolder(name: string): Promise<string> {
  await mkdir(data, { recursive: true });
  return await mkdtemp(join(data, `bench-${name}-`));
}
