import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where an agent keeps what it must not forget, by name. A `save` that resolves survives the death of the process. */
export interface States {
  load(name: string): Promise<unknown>;
  save(name: string, state: unknown): Promise<void>;
}

/**
 * One JSON file a name, replaced whole. Not synced to the disk: after a power cut an agent may find an older state,
 * and learns the newer one from the service, as far as its own signature proves it.
 */
export function fileStates(folder: string): States {
  const path = (name: string) => join(folder, `${name.replace(/[^\w.-]/g, "_")}.json`);
  let isMade: Promise<unknown> | null = null;
  /** Saves of one name wait for each other, so that the latest stands at the end. */
  const lines = new Map<string, Promise<void>>();
  return {
    async load(name) {
      try {
        return JSON.parse(await readFile(path(name), "utf8"));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    save(name, state) {
      const text = JSON.stringify(state);
      const earlier = lines.get(name) ?? Promise.resolve();
      const saved = earlier.catch(() => {}).then(() => replace(path(name), text));
      lines.set(name, saved);
      return saved;
    },
  };

  async function replace(file: string, text: string): Promise<void> {
    isMade ??= mkdir(folder, { recursive: true, mode: 0o700 });
    await isMade;
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}
