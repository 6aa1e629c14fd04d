import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where an agent keeps what it must not forget, by name. A `save` that resolves survives the death of the process. */
export interface States {
  load(name: string): Promise<unknown>;
  save(name: string, state: unknown): Promise<void>;
}

/**
 * One JSON file a name, replaced whole. Not synced to the disk: after a power cut an agent may find an older state,
 * and learns the newer one from the service.
 */
export function fileStates(folder: string): States {
  const path = (name: string) => join(folder, `${name.replace(/[^\w.-]/g, "_")}.json`);
  let isMade: Promise<unknown> | null = null;
  return {
    async load(name) {
      try {
        return JSON.parse(await readFile(path(name), "utf8"));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    async save(name, state) {
      isMade ??= mkdir(folder, { recursive: true, mode: 0o700 });
      await isMade;
      const written = path(name);
      await writeFile(`${written}.new`, JSON.stringify(state), { mode: 0o600 });
      await rename(`${written}.new`, written);
    },
  };
}
