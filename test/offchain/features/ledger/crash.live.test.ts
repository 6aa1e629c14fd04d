import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrations } from "#offchain/app/migrations.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { type EmbeddedPostgres, startPostgres } from "#offchain/platform/database/postgres.ts";
import { chance } from "../../support/chance.ts";
import { expectWhole, fundAgents, type Load, serverPid, startLoad } from "../../support/ledgerLoad.ts";

const dataDir = join(import.meta.dirname, "../../../../data/test", `crash-${randomBytes(6).toString("hex")}`);
const rounds = 3;

let server: EmbeddedPostgres;
const loads: Load[] = [];
const begin = (name: string, callers = 64): Load => {
  const load = startLoad(server.connection, callers, name);
  loads.push(load);
  return load;
};
beforeAll(async () => {
  server = await startPostgres({ dataDir });
  const sql = await openDatabase({ connection: server.connection, maxConnections: 1, migrations });
  await sql.end({ timeoutMs: 5_000 });
  await fundAgents(server.connection);
});
afterAll(async () => {
  await Promise.all(loads.map((load) => load.kill()));
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function whole(answers: Load["answers"]): Promise<void> {
  const sql: Sql = await openDatabase({ connection: server.connection, maxConnections: 2, migrations });
  await expectWhole(sql, answers);
  await sql.end({ timeoutMs: 5_000 });
}

/** A moment that nobody chose. */
const random = chance();
const anyMoment = () => delay(random.below(300));

test("kill -9 of the service under load loses no answer and leaves nothing half done", async () => {
  for (let round = 0; round < rounds; round += 1) {
    const load = begin(`service-${round}`);
    await load.more(500);
    await anyMoment();
    await load.kill();
    await whole(load.answers);
  }
});

test("kill -9 of PostgreSQL under load loses no answer; the service carries on when it is back", async () => {
  const load = begin("database");
  for (let round = 0; round < rounds; round += 1) {
    await load.more(500);
    await anyMoment();
    process.kill(await serverPid(dataDir), "SIGKILL");
    server = await startPostgres({ dataDir });
    await load.more(500);
  }
  await load.kill();
  await whole(load.answers);
});

test("of two instances on one database one is killed; the other carries on, and nothing is spent twice", async () => {
  const [one, other] = [begin("one", 32), begin("other", 32)];
  await Promise.all([one.more(300), other.more(300)]);
  await anyMoment();
  await one.kill();
  await other.more(500);
  await other.kill();
  await whole([...one.answers, ...other.answers]);
  const keys = [...one.answers, ...other.answers].map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
});
