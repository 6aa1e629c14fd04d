import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where an agent keeps what it must not forget, by name. */
export interface States {
  load(name: string): Promise<unknown>;
  /**
   * Once it resolves the state survives the death of the process, and a power cut too if `isDurable`: such a state is known
   * to nobody else, and what was done by it would be done again.
   */
  save(name: string, state: unknown, isDurable?: boolean): Promise<void>;
}

/**
 * One JSON file a name, replaced whole. Synced to the disk only where it must be durable: of anything else an agent may find
 * an older state after a power cut, and learns the newer one from the service, as far as its own signature proves it.
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
    save(name, state, isDurable = false) {
      const text = JSON.stringify(state);
      const earlier = lines.get(name) ?? Promise.resolve();
      const saved = earlier.catch(() => {}).then(() => replace(path(name), text, isDurable));
      lines.set(name, saved);
      return saved;
    },
  };

  async function replace(file: string, text: string, isDurable: boolean): Promise<void> {
    isMade ??= mkdir(folder, { recursive: true, mode: 0o700 });
    await isMade;
    await writeFile(`${file}.new`, text, { mode: 0o600, flush: isDurable });
    await rename(`${file}.new`, file);
    if (isDurable) await syncFolder();
  }

  /** Without it a power cut could undo the renaming. */
  async function syncFolder(): Promise<void> {
    const opened = await open(folder, "r");
    await opened.sync().finally(() => opened.close());
  }
}
