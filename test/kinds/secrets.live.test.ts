import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { actions, features } from "#offchain/app/features.ts";
import { chainSettings, settings } from "#offchain/app/settings.ts";
import type { Setting } from "#offchain/platform/settings.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../offchain/support/database.ts";
import { type DatabaseProxy, startDatabaseProxy } from "../offchain/support/databaseProxy.ts";
import { type FaultProxy, startFaultProxy } from "../offchain/support/faultProxy.ts";
import { testPort } from "../offchain/support/port.ts";
import { account, startTestStack, type TestStack, until } from "../offchain/support/stack.ts";
import { askOverHttp } from "./asking.ts";

/**
 * A run of the real service with a credential of its own in every setting that may hold one, through good times and bad:
 * no answer, log line, metric or message says any of them. A new secret setting fails the first test until it has one.
 */

/** Nothing that anybody would say by chance. */
const mark = (what: string) => `Mk${Buffer.from(what).toString("hex")}zQ7`;

/** Hardhat's first account: the key is public, and in no answer all the same. */
const operatorKey = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

let server: TestServer;
let database: TestDatabase;
let store: DatabaseProxy;
let provider: FaultProxy;
let forecasts: Server;
let stack: TestStack;
let environment: Record<string, string>;
/** Everything that was said, by who said it. */
const said: { by: string; text: string }[] = [];

/** What must not be said, by setting. */
const secrets: Readonly<Record<string, readonly string[]>> = {
  DATABASE_URL: [mark("database")],
  REDIS_URL: [mark("redis")],
  BURSAR_RPC_URL: [mark("path"), mark("query")],
  BURSAR_OPERATOR_KEY: [operatorKey],
  BURSAR_GRID_FORECAST_URL: [mark("grid path"), mark("grid query")],
  BURSAR_GRID_TOKEN: [mark("grid token")],
};
const every = Object.values(secrets).flat();

beforeAll(async () => {
  const port = await testPort();
  provider = await startFaultProxy({ target: `http://127.0.0.1:${port}`, seed: 1, stallMs: 600_000 });
  server = await startTestServer();
  database = await server.create();
  store = await startDatabaseProxy(database.connection);
  // A vendor that refuses, and repeats what it was asked.
  forecasts = createServer((request, response) => {
    response.writeHead(403).end(`refused: ${request.url} ${request.headers.authorization}`);
  });
  await new Promise<void>((done) => forecasts.listen(0, "127.0.0.1", done));
  const { username, host, port: storePort, database: name } = store.connection;
  const vendor = (forecasts.address() as AddressInfo).port;
  environment = {
    BURSAR_RPC_URL: `${provider.url}/v2/${mark("path")}?key=${mark("query")}`,
    DATABASE_URL: `postgres://${username}:${mark("database")}@${host}:${storePort}/${name}`,
    // Nobody listens there.
    REDIS_URL: `redis://default:${mark("redis")}@127.0.0.1:1`,
    BURSAR_LOCKS: "redis",
    BURSAR_OPERATOR_KEY: `0x${operatorKey}`,
    BURSAR_GRID_FORECAST_URL: `http://127.0.0.1:${vendor}/${mark("grid path")}/forecast?key=${mark("grid query")}`,
    BURSAR_GRID_TOKEN: mark("grid token"),
    BURSAR_GRID_REFRESH_MS: "1000",
    BURSAR_BATCH_MODE: "price-aware",
    BURSAR_BATCH_SIZE: "1",
    BURSAR_DEBUG: "true",
  };
  stack = await startTestStack({ ...environment, BURSAR_LOG_LEVEL: "debug" }, { port });
  // A batch that waits has the forecast asked for.
  const payer = stack.agent(4);
  await payer.register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
  const channel = await payer.openChannel({ payee: account(5).address, deposit: "1" });
  await channel.pay({ key: "work", amount: "0.5" });
});
afterAll(async () => {
  provider?.setDown(false);
  store?.setDown(false);
  await stack?.stop();
  await provider?.stop();
  forecasts?.close();
  await store?.close();
  await database?.close();
  await server?.stop();
});

async function listen(): Promise<void> {
  const answers = [...actions].map(async ([name, known]) => {
    const response = await askOverHttp(stack.apiUrl, known).catch((error: Error) => error);
    if (response instanceof Error) return;
    const headers = JSON.stringify([...response.headers]);
    said.push({ by: name, text: `${headers} ${await response.text()}` });
  });
  await Promise.all(answers);
  for (const path of [
    "/health",
    "/ready",
    "/metrics",
    "/openapi.json",
    "/no-such",
    "/api/v1/wallets?limit=x",
  ]) {
    const response = await fetch(`${stack.apiUrl}${path}`);
    said.push({ by: path, text: await response.text() });
  }
}

/** Starts the service's program, and gives all that it says. */
async function run(env: Record<string, string>, args: readonly string[] = []): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../offchain/main.ts"), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
  await new Promise<void>((done) => child.once("close", () => done()));
  return text;
}

const told = () =>
  said.flatMap(({ by, text }) =>
    every.flatMap((secret) => {
      const at = text.toLowerCase().indexOf(secret.toLowerCase());
      return at < 0 ? [] : `${by}: …${text.slice(Math.max(0, at - 120), at + secret.length)}`;
    }),
  );

test("every setting that may hold a credential has one in this run", () => {
  const groups = [settings, chainSettings].flatMap((all) => Object.values(all));
  const declared = [...groups, ...features.map((feature) => feature.settings)].flatMap(
    (group) => Object.values(group) as Setting<unknown>[],
  );
  const secret = declared.filter((one) => one.secret !== undefined).map(({ variable }) => variable);
  expect(Object.keys(secrets).toSorted()).toEqual([...new Set(secret)].toSorted());
  for (const [variable, texts] of Object.entries(secrets))
    for (const text of texts) expect(environment[variable]).toContain(text);
});

test("no answer and no log line says a credential, whatever is away", async () => {
  await listen();
  provider.setDown(true);
  await listen();
  provider.setDown(false);
  for (const fault of ["page", "word"] as const) {
    provider.setChances({ [fault]: 1 });
    await listen();
  }
  provider.setChances({});
  store.setDown(true);
  await listen();
  store.setDown(false);
  await until(
    () => fetch(`${stack.apiUrl}/ready`).then(({ ok }) => ok),
    (isReady) => isReady,
  );
  await listen();
  expect(said.length).toBeGreaterThan(4 * actions.size);
  const logs = join(stack.dataDir, "logs");
  const before = said.length;
  for (const name of await readdir(logs))
    said.push({ by: name, text: await readFile(join(logs, name), "utf8") });
  // The log tells of every outside part that it could not reach.
  const lines = said.slice(before).map(({ text }) => text);
  const parts = ["127.0.0.1:1", "forecast", "CHAIN_UNAVAILABLE", "STORE_UNAVAILABLE"];
  expect(parts.filter((part) => !lines.some((text) => text.includes(part)))).toEqual([]);
  expect(told()).toEqual([]);
});

test("neither the help nor a start that fails says a credential", async () => {
  said.length = 0;
  said.push({ by: "--help", text: await run(environment, ["--help"]) });
  for (const [variable, texts] of Object.entries(secrets)) {
    // A token may be any text.
    if (variable === "BURSAR_GRID_TOKEN") continue;
    const text = await run({ ...environment, [variable]: `wrong ${texts.join(" ")}` });
    said.push({ by: `wrong ${variable}`, text });
    expect(text.includes(variable), `${variable} is named`).toBe(true);
  }
  const away = { ...environment, DATABASE_URL: `postgres://x:${mark("database")}@127.0.0.1:1/x` };
  said.push({ by: "no database", text: await run({ ...away, BURSAR_PORT: "0" }) });
  expect(told()).toEqual([]);
});
