import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { exists, PostgresStartError } from "./system.ts";

/** How a server of ours is reached. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
}

const answerTimeoutMs = 2_000;
/** What questions about the server itself are asked under: they are no client's. */
const askerName = "bursar-server";

export const answers = async (connection: Connection): Promise<boolean> =>
  (await asked(connection, "SELECT 1")) !== null;

/** Connections that were closed just now are still listed for a moment. */
const closingMs = 1_000;

/** Whether somebody works with the server: another service on the same data folder, or a human. */
export async function hasClients(connection: Connection): Promise<boolean> {
  for (const deadline = Date.now() + closingMs; Date.now() < deadline; await delay(50)) {
    const rows = await asked(
      connection,
      `SELECT 1 FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> '${askerName}' LIMIT 1`,
    );
    if (rows === null || rows.length === 0) return false;
  }
  return true;
}

/** @throws PostgresStartError: whoever answers on our socket serves other data */
export async function assertOurs(connection: Connection, dataDir: string): Promise<void> {
  const [row] = (await asked<{ data_directory: string }>(connection, "SHOW data_directory")) ?? [];
  const serves = row?.data_directory ?? "";
  if ((await realpath(serves).catch(() => serves)) !== (await realpath(dataDir)))
    throw new PostgresStartError(
      `a PostgreSQL server of another data folder, ${serves}, answers on ${connection.host}: stop it, or remove that folder`,
    );
}

/** Null when nobody answers: it is not up yet, starting, or shutting down. */
async function asked<Row>(connection: Connection, text: string): Promise<Row[] | null> {
  if (!(await exists(join(connection.host, `.s.PGSQL.${connection.port}`)))) return null;
  const { username: user, ...address } = connection;
  const client = new Client({
    ...address,
    user,
    application_name: askerName,
    connectionTimeoutMillis: answerTimeoutMs,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    return ((await client.query(text)) as { rows: Row[] }).rows;
  } catch {
    return null;
  } finally {
    client.connection.stream.destroy();
  }
}
