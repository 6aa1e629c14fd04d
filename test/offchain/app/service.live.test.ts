import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readConfig } from "#offchain/app/config.ts";
import { features } from "#offchain/app/features.ts";
import { openService, type Service } from "#offchain/app/service.ts";
import { Shutdown } from "#offchain/app/shutdown.ts";
import { createHttp } from "#offchain/doors/http/http.ts";
import { type Listening, serve } from "#offchain/doors/http/serve.ts";
import { openMemoryDoor } from "#offchain/doors/memory/door.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { devAccount, type LocalNode, startNode, until } from "../support/node.ts";
import { deployToken, mint } from "../support/token.ts";
import { greetings } from "./toy/feature.ts";

const ada = devAccount(4);
const data = join(import.meta.dirname, "../../../data/test");

let node: LocalNode;
let folder: string;
let service: Service;
let http: Listening;
const clock = { now: () => Date.now() };
// On a chain without our contracts the other features only complain.
const log = createLog({ level: "silent", clock });
const shutdown = new Shutdown();

/** The toy is added as any feature would be: by its folder and by one line of the list. */
const withToy = [...features, greetings];

beforeAll(async () => {
  await mkdir(data, { recursive: true });
  folder = await mkdtemp(join(data, "toy-"));
  node = await startNode();
  const token = await deployToken(node);
  const environment = {
    BURSAR_PORT: "0",
    BURSAR_RPC_URL: node.url,
    BURSAR_DATA_DIR: folder,
    BURSAR_POLL_INTERVAL_MS: "50",
    BURSAR_GREETING_TOKEN: token,
    BURSAR_GREETING_LENGTH_MAX: "5",
  };
  const config = readConfig(environment, withToy);
  service = await openService(config, { clock, log }, shutdown, withToy);
  http = await serve(createHttp(service), config.http);
  shutdown.add("http", () => http.close());
  await mint(node, token, [[devAccount(5).address, 1n]]);
});
afterAll(async () => {
  await shutdown.run(log);
  await node?.stop();
  await rm(folder, { recursive: true, force: true });
});

const get = async (path: string) => (await fetch(new URL(path, http.url))).text();
const heard = async () => (await get("/api/v1/greetings")) as string;

test("its action is called through the door in memory, within its setting", async () => {
  const door = openMemoryDoor(service);
  const leave = (words: string) =>
    door.call({ role: "agent", address: ada.address }, { action: "greetings.leave", input: { words } });
  expect(await leave("hello")).toEqual({ ok: true, output: { by: ada.address, words: "hello" } });
  expect(await leave("good day")).toMatchObject({ ok: false, error: { facts: { got: 8, limit: 5 } } });
});

test("its action is called over HTTP, and wants the role that it declares", async () => {
  const path = "/api/v1/greetings";
  const body = JSON.stringify({ words: "hi" });
  const signed = await signRequests(ada, service.chainId)({ method: "POST", path, body, origin: http.url });
  const send = (headers: object) =>
    fetch(new URL(path, http.url), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  expect((await send({})).status).toBe(401);
  expect(await (await send(signed)).json()).toEqual({ by: ada.address, words: "hi" });
  expect(JSON.parse(await heard()).items).toContainEqual({ by: ada.address, words: "hi" });
});

test("its handler is told of the chain's events", async () => {
  await until(heard, (answer) => answer.includes('"words":"paid"'));
});

test("its job runs, and its figure and check are shown", async () => {
  await until(
    () => get("/metrics"),
    (figures) => /^bursar_greetings [1-9]/m.test(figures),
  );
  expect(JSON.parse(await get("/health")).checks).toMatchObject({ greetings: { status: "ok" } });
});

test("it stands in the API's description beside all others", async () => {
  const document = JSON.parse(await get("/openapi.json"));
  const names = Object.values<Record<string, { operationId?: string }>>(document.paths)
    .flatMap((path) => Object.values(path))
    .map(({ operationId }) => operationId);
  expect(names).toEqual(expect.arrayContaining(["greetings.leave", "greetings.list", "agents.list"]));
  expect(await get("/docs")).toContain('id="greetings.leave"');
});

test("health says that the operator has no money left for gas, and by what address it gets some", async () => {
  const operator = devAccount(0).address;
  // Health is read once a second at most.
  const senderIs = (status: string) =>
    until(
      async () => JSON.parse(await get("/health")).checks.sender,
      (sender) => sender.status === status,
    );
  const value = await node.client.getBalance({ address: operator });
  expect(await senderIs("ok")).toMatchObject({ status: "ok", detail: { problem: null } });
  await node.client.setBalance({ address: operator, value: 10n ** 15n });
  expect(await senderIs("degraded")).toMatchObject({
    status: "degraded",
    detail: { balance: "0.001", problem: expect.stringContaining(operator) },
  });
  await node.client.setBalance({ address: operator, value });
});
