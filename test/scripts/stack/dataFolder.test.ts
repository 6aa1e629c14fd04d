import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claimDataFolder, DataFolderUnusable } from "../../../scripts/stack/dataFolder.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bursar-claim-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("claiming a data folder", () => {
  test("makes it where it is missing", async () => {
    const release = await claimDataFolder(join(folder, "new/data"));
    expect((await stat(join(folder, "new/data"))).isDirectory()).toBe(true);
    await release();
  });

  test("refuses a folder that is in use, names its process and what to do", async () => {
    const release = await claimDataFolder(folder);
    const refused = claimDataFolder(join(folder, "."));
    await expect(refused).rejects.toThrow(DataFolderUnusable);
    await expect(refused).rejects.toThrow(new RegExp(`process ${process.pid}.*--data <another folder>`));
    await release();
    await (await claimDataFolder(folder))();
  });

  test("takes over what a killed process has left", async () => {
    const child = fork(join(import.meta.dirname, "dataFolder.child.ts"), [folder]);
    await once(child, "message");
    await expect(claimDataFolder(folder)).rejects.toThrow(`process ${child.pid}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await claimDataFolder(folder))();
  });

  test.each([
    ["a file", "data", "it is a file"],
    ["a folder below a file", "data/more", "a part of the path is a file"],
  ])("says that %s cannot be one", async (_, path, why) => {
    await writeFile(join(folder, "data"), "");
    const refused = claimDataFolder(join(folder, path));
    await expect(refused).rejects.toThrow(DataFolderUnusable);
    await expect(refused).rejects.toThrow(why);
    await expect(refused).rejects.toThrow("--data <folder>");
  });
});
