import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Clock } from "#offchain/core/clock.ts";
import { type Recovery, startRecovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import type { Migrations } from "#offchain/platform/database/migrations.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import type { AnyFeature } from "#offchain/platform/feature.ts";
import { chooseLocks } from "#offchain/platform/locks/choose.ts";
import { localKeeper } from "#offchain/platform/locks/local.ts";
import type { Locks } from "#offchain/platform/locks/lock.ts";
import { openLocks } from "#offchain/platform/locks/locks.ts";
import { databaseKeeper } from "#offchain/platform/locks/postgres.ts";
import { redisKeeper } from "#offchain/platform/locks/redis.ts";
import { type Bus, createBus } from "#offchain/platform/observe/bus.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import { createMetrics, type Metrics } from "#offchain/platform/observe/metrics.ts";
import type { Config } from "./config.ts";
import { migrationsOf } from "./migrations.ts";
import type { Shutdown } from "./shutdown.ts";

/** What all features stand on, opened. */
export interface Platform {
  readonly clock: Clock;
  readonly log: Log;
  readonly sql: Sql;
  readonly locks: Locks;
  readonly recovery: Recovery;
  readonly bus: Bus;
  readonly metrics: Metrics;
}

/** The service and these threads wait for each other, so the service never keeps more than four busy. */
const recoveryThreadsMax = 4;

/** Opens database, locks and threads; each is stopped by `shutdown`. */
export async function openPlatform(
  config: Config,
  { clock, log }: { clock: Clock; log: Log },
  shutdown: Shutdown,
  features: readonly AnyFeature[],
): Promise<Platform> {
  const sql = await openStore(config, log, shutdown, migrationsOf(features));
  const locks = locksOf(config, sql, log);
  shutdown.add("locks", () => locks.close());
  const recovery = startRecovery(Math.min(recoveryThreadsMax, availableParallelism()));
  shutdown.add("recovery", () => recovery.close());
  return {
    clock,
    log,
    sql,
    locks,
    recovery,
    bus: createBus({ run: clock.now(), ringSize: config.http.streamRingSize }),
    metrics: createMetrics(),
  };
}

async function openStore(config: Config, log: Log, shutdown: Shutdown, migrations: Migrations): Promise<Sql> {
  const { url, dataDir, programsDir, connectionsMax, waitingMax } = config.database;
  let connection: Parameters<typeof openDatabase>[0]["connection"];
  if (url === undefined) {
    await mkdir(dataDir, { recursive: true });
    const server = await startPostgres({
      dataDir: join(dataDir, "postgres"),
      programsDir,
      isSupervised: true,
      onProgress: (what) => log.info(what),
    });
    shutdown.add("postgres", () => server.leave().then(() => {}));
    connection = server.connection;
  } else connection = url;
  const sql = await openDatabase({
    connection,
    maxConnections: connectionsMax,
    maxWaiting: waitingMax,
    migrations,
  });
  shutdown.add("database", () => sql.end({ timeoutMs: 5_000 }));
  return sql;
}

function locksOf(config: Config, sql: Sql, log: Log): Locks {
  const { mode, redisUrl } = config.locks;
  const chosen = chooseLocks(mode, { redisUrl, databaseUrl: config.database.url });
  log.info({ mode: chosen }, "locks");
  if (chosen === "local") return openLocks(localKeeper());
  if (chosen === "postgres") return openLocks(databaseKeeper(sql));
  const onError = (err: Error) => log.warn({ err }, "Redis does not answer; no lock is given until it does");
  return openLocks(redisKeeper(redisUrl ?? "", onError));
}
