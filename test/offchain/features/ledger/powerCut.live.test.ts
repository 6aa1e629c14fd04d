import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFile, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { expectWhole, fundAgents, serverPid, startLoad } from "../../support/ledgerLoad.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../../../../data/test", `power-${randomBytes(6).toString("hex")}`);
const imageBytes = 1_536 * 1024 * 1024;

/** Makes and mounts a file system in a file; says why when this machine does not let us. */
async function mountImage(image: string, at: string): Promise<string | null> {
  await mkdir(at, { recursive: true });
  try {
    await run("mount", ["-o", "loop", image, at]);
    return null;
  } catch (error) {
    return (error as Error).message.trim();
  }
}

/** The server and all its helpers: what a power cut stops at once. */
async function familyOf(pid: number): Promise<number[]> {
  const all = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    all.map(async (name) => {
      const status = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
      return { pid: Number(name), parent: Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]) };
    }),
  );
  return [pid, ...parents.filter(({ parent }) => parent === pid).map((child) => child.pid)];
}

test("a power cut under load loses no answer", async (context) => {
  await mkdir(folder, { recursive: true });
  const [image, copy] = [join(folder, "disk.img"), join(folder, "copy.img")];
  const [disk, after] = [join(folder, "disk"), join(folder, "after")];
  const unmount: string[] = [];
  try {
    const file = await open(image, "w");
    await file.truncate(imageBytes);
    await file.close();
    const made = await run("mkfs.ext4", ["-q", "-F", image]).then(
      () => null,
      (error: Error) => error.message,
    );
    const refused = made ?? (await mountImage(image, disk));
    if (refused !== null) {
      // The kill -9 test stands alone on such a machine.
      console.warn(`no loop mount on this machine, so no power is cut here: ${refused}`);
      await context.annotate(`no loop mount: ${refused}`);
      return;
    }
    unmount.push(disk);
    const server = await startPostgres({ dataDir: join(disk, "postgres") });
    await openDatabase({ connection: server.connection, maxConnections: 1, migrations }).then((sql) =>
      sql.end(),
    );
    await fundAgents(server.connection);
    const load = startLoad(server.connection, 128, "cut");
    await load.more(3_000);

    // The power goes: no process runs on, and what the disk was not given is gone.
    const answers = [...load.answers];
    const family = await familyOf(await serverPid(join(disk, "postgres")));
    for (const pid of family) process.kill(pid, "SIGSTOP");
    await copyFile(image, copy);
    for (const pid of family) process.kill(pid, "SIGCONT");
    await load.kill();
    await server.stop();

    expect(await mountImage(copy, after)).toBeNull();
    unmount.push(after);
    await rm(join(after, "postgres/postmaster.pid"), { force: true });
    const recovered = await startPostgres({ dataDir: join(after, "postgres") });
    const sql = await openDatabase({ connection: recovered.connection, maxConnections: 2, migrations });
    expect(answers.length).toBeGreaterThanOrEqual(3_000);
    await expectWhole(sql, answers);
    await sql.end({ timeoutMs: 5_000 });
    await recovered.stop();
  } finally {
    for (const place of unmount) await run("umount", [place]).catch(() => run("umount", ["-l", place]));
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);
