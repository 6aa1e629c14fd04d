import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createHttp } from "#offchain/doors/http/http.ts";
import { openAgents } from "#offchain/features/agents/agents.ts";
import { openLedger } from "#offchain/features/ledger/ledger.ts";
import { seenRequests } from "#offchain/platform/requests/store.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { account, startedAt } from "../doors/world.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../support/database.ts";
import { chainId, smallService } from "../support/service.ts";

const time = { now: startedAt };
const clock = { now: () => time.now };
const [operator, ada] = [account("operator"), account("ada")];
const origin = "https://bursar.example";
const usdc = { account: ada.address, unit: "USDC" };

let server: TestServer;
let database: TestDatabase;
let http: ReturnType<typeof createHttp>;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  time.now = startedAt;
  database = await server.create();
  http = openInstance();
});
afterEach(() => database.close());

/** Another instance on the same database, or the same one after a restart. */
function openInstance() {
  const { sql } = database;
  const services = { ledger: openLedger(sql, clock), agents: openAgents(sql, clock, chainId) };
  const environment = { BURSAR_PUBLIC_URLS: origin };
  const seen = seenRequests(sql);
  return createHttp(smallService({ services, operator: operator.address, clock, seen, environment }));
}

/** A signed request as it goes over the wire: it can be sent as often as one likes. */
async function signed(signer: typeof ada, method: string, path: string, said: object, ahead = 0) {
  time.now += 1;
  const body = JSON.stringify(said);
  const issuedAt = time.now + ahead;
  const headers = await signRequests(signer, chainId, () => issuedAt)({ method, path, body, origin });
  return async (to = http) => {
    const init = { method, headers: { ...headers, "content-type": "application/json" }, body };
    const response = await to.app.request(new URL(path, origin), init);
    return { status: response.status, text: await response.text() };
  };
}

const suspend = (isSuspended: boolean, ahead = 0) =>
  signed(operator, "POST", "/api/v1/admin/accounts/suspend", { account: ada.address, isSuspended }, ahead);
const limit = (daily: string) => signed(operator, "PUT", "/api/v1/ledger/limits", { ...usdc, daily });
const open = async () => (await signed(ada, "POST", "/api/v1/ledger/accounts", { unit: "USDC" }))();

async function standing() {
  const [found] = await openLedger(database.sql, clock).standings(
    `agent:${ada.address.toLowerCase()}`,
    "USDC",
  );
  return { isSuspended: found?.suspended, daily: found?.limits[0]?.limit };
}

test("a repeated lifting of a suspension gets its first answer and lifts no newer one, at any instance", async () => {
  await open();
  const lift = await suspend(false);
  const first = await lift();
  expect(first.status).toBe(200);
  await (await suspend(true))();
  expect(await lift()).toEqual(first);
  expect(await lift(openInstance())).toEqual(first);
  expect(await standing()).toMatchObject({ isSuspended: true });
});

test("a repeated limit replaces no newer one, and a repeated registration brings no old name back", async () => {
  await open();
  const wide = await limit("1000");
  await wide();
  await (await limit("5"))();
  expect((await wide()).status).toBe(200);
  expect(await standing()).toMatchObject({ daily: 5_000_000n });

  const named = (name: string) =>
    signed(ada, "POST", "/api/v1/agents", { address: ada.address, name, role: "r" });
  const old = await named("Old");
  const first = await old();
  await (await named("New"))();
  expect(await old()).toEqual(first);
  expect(await openAgents(database.sql, clock, chainId).get(ada.address)).toMatchObject({ name: "New" });
});

test("a request that was signed ahead of time is remembered for the whole two minutes in which it is taken", async () => {
  await open();
  const lift = await suspend(false, 59_000);
  await lift();
  await (await suspend(true))();
  time.now += 118_000;
  await seenRequests(database.sql).forget(time.now - 60_000);
  expect((await lift()).status).toBe(200);
  expect(await standing()).toMatchObject({ isSuspended: true });
  time.now += 2_000;
  expect(await lift()).toMatchObject({ status: 401 });
  expect(await seenRequests(database.sql).forget(time.now)).toBeGreaterThan(0);
});

test("what was refused stays refused when it is repeated; also one whose end nobody knows is not run again", async () => {
  const wide = await limit("1000");
  const first = await wide();
  expect(first).toMatchObject({ status: 404, text: expect.stringContaining("ACCOUNT_UNKNOWN") });
  await open();
  expect(await wide()).toMatchObject({ status: 404, text: expect.stringContaining("ACCOUNT_UNKNOWN") });

  const later = await limit("2");
  await later();
  await database.sql`UPDATE seen_request SET answer = NULL`;
  await (await limit("1"))();
  expect(await later()).toMatchObject({ status: 409, text: expect.stringContaining("REQUEST_REPEATED") });
  expect(await standing()).toMatchObject({ daily: 1_000_000n });
});

test("a payment has its own key, and leaves nothing here", async () => {
  const pay = await signed(ada, "POST", "/transfer", {
    key: "k",
    to: ada.address,
    unit: "USDC",
    amount: "1",
  });
  expect((await pay()).text).toContain("ACCOUNT_UNKNOWN");
  const [seen] = await database.sql<{ count: number }[]>`SELECT count(*)::int AS count FROM seen_request`;
  expect(seen?.count).toBe(0);
});
