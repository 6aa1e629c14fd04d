import { join } from "node:path";
import { readConfig } from "#offchain/app/config.ts";
import { migrations } from "#offchain/app/migrations.ts";
import { openService, type Service } from "#offchain/app/service.ts";
import { Shutdown } from "#offchain/app/shutdown.ts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { openDatabase, type Sql } from "#offchain/platform/database/database.ts";
import { startPostgres } from "#offchain/platform/database/postgres.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { chainId, deployContracts, startChain } from "../stack/chain.ts";
import { freePort } from "../stack/port.ts";
import { Programs } from "../stack/programs.ts";
import { beginnings } from "../stack/progress.ts";

/** A whole service in this process, on a chain and a database of its own. */
export interface Machine {
  readonly service: Service;
  /** Where its HTTP door listens. */
  readonly apiUrl: string;
  readonly dataDir: string;
  readonly rpcUrl: string;
  /** A second pool on its database. */
  readonly sql: Sql;
  stop(): Promise<void>;
}

export interface MachineOptions {
  readonly dataDir: string;
  readonly port: number;
  /** Puts the contracts on the fresh chain in another way than by deploying them. */
  readonly deploy?: (rpcUrl: string, usual: () => Promise<void>) => Promise<void>;
}

/** Nobody's pace is limited, and nothing is done by the clock: what is asked is how each request is answered. */
const quiet = {
  BURSAR_SOLVENCY_EVERY_MS: "86400000",
  BURSAR_RATE_PER_IP_PER_SECOND: "0",
  BURSAR_RATE_PER_IDENTITY_PER_SECOND: "0",
  BURSAR_STREAM_RATE_PER_SECOND: "0",
};

export async function openMachine({ dataDir, port, deploy }: MachineOptions): Promise<Machine> {
  const programs = new Programs();
  const shutdown = new Shutdown();
  const clock = { now: () => Date.now() };
  const log = createLog({ level: "silent", clock });
  const progress = beginnings((what) => console.error(what));
  const logFile = join(dataDir, "deploy.log");
  let sql: Sql | null = null;
  const stop = async () => {
    await sql?.end({ timeoutMs: 5_000 });
    await shutdown.run(log);
    await programs.stop();
  };
  try {
    const { rpcUrl } = await startChain(programs, await freePort(port), chainId);
    const usual = () => deployContracts(programs, { rpcUrl, logFile, progress });
    await (deploy ? deploy(rpcUrl, usual) : usual());
    const environment = { ...quiet, BURSAR_PORT: "0", BURSAR_RPC_URL: rpcUrl, BURSAR_DATA_DIR: dataDir };
    const config = readConfig(environment);
    const service = await openService(config, { clock, log }, shutdown);
    const http = await serve(createHttp(service), config.http);
    shutdown.add("http", () => http.close());
    const { connection } = await startPostgres({ dataDir: join(dataDir, "postgres") });
    sql = await openDatabase({ connection, maxConnections: 2, migrations });
    return { service, apiUrl: http.url, dataDir, rpcUrl, sql, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
