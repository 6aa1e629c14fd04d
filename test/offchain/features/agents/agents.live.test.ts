import { afterAll, beforeAll, expect, test } from "vitest";
import { openAgents } from "#offchain/features/agents/agents.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../support/database.ts";

const address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const stranger = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
let server: TestServer;
let database: TestDatabase;
let now = 1_000;

beforeAll(async () => {
  server = await startTestServer();
  database = await server.create();
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

test("an agent is suspended and taken back, and registering anew lifts nothing", async () => {
  const agents = openAgents(database.sql, { now: () => now }, 31337);
  await agents.register({ address, name: "Ada", role: "buyer" });
  expect(await agents.known([address])).toEqual(new Map([[address.toLowerCase(), false]]));
  now = 2_000;
  expect(await agents.suspend(address, true)).toMatchObject({ address, suspended: true });
  now = 3_000;
  expect(await agents.suspend(address, true), "twice is once").toMatchObject({ suspended: true });
  const since = await database.sql`SELECT suspended_at FROM agent`;
  expect(since).toMatchObject([{ suspended_at: 2_000n }]);
  await agents.register({ address, name: "Ada", role: "seller" });
  expect(await agents.known([address])).toEqual(new Map([[address.toLowerCase(), true]]));
  expect(await agents.suspend(address, false)).toMatchObject({ suspended: false, role: "seller" });
  expect(await agents.suspend(stranger, true)).toBeNull();
  expect(await agents.get(stranger)).toBeNull();
});
