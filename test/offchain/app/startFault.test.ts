import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { assertPricedActionsExist } from "#offchain/app/call.ts";
import { openChains } from "#offchain/app/chains.ts";
import { readConfig } from "#offchain/app/config.ts";
import { startFault } from "#offchain/app/startFault.ts";
import { serve } from "#offchain/doors/http/serve.ts";
import { contractsOn } from "#offchain/platform/chain/contracts/contracts.ts";
import { openDatabase } from "#offchain/platform/database/database.ts";
import { noMigrations } from "#offchain/platform/database/migrations.ts";
import { chooseLocks } from "#offchain/platform/locks/choose.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";

const thrown = async (act: () => unknown): Promise<unknown> => {
  try {
    await act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

const listening = (port: number) =>
  new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });

it("names BURSAR_PORT when the port is taken", async () => {
  const first = await listening(0);
  const { port } = first.address() as AddressInfo;
  const error = await thrown(() => listening(port));
  first.close();
  const config = readConfig({ BURSAR_PORT: String(port) });
  expect(startFault(error, config)).toMatch(new RegExp(`^port ${port} is taken: .*BURSAR_PORT`));
});

it("names BURSAR_HOST when there is no such host", async () => {
  const config = readConfig({ BURSAR_HOST: "300.1.1.1", BURSAR_PORT: "0" });
  const error = await thrown(() => serve({ app: { fetch } } as never, config.http));
  expect(startFault(error, config)).toMatch(/^there is no host 300\.1\.1\.1 .*BURSAR_HOST/);
});

it("names DATABASE_URL, without its password, when no database answers there", async () => {
  const closed = await listening(0);
  const { port } = closed.address() as AddressInfo;
  await new Promise((done) => closed.close(done));
  const url = `postgres://bursar:hunter2@127.0.0.1:${port}/books`;
  const error = await thrown(() => openDatabase({ connection: url, migrations: noMigrations }));
  const fault = startFault(error, readConfig({ DATABASE_URL: url }));
  expect(fault).toMatch(new RegExp(`^no database at 127.0.0.1:${port}/books: .*ECONNREFUSED.*DATABASE_URL`));
  expect(fault).not.toContain("hunter2");
});

it("tells in one line what settings say of each other", async () => {
  const elsewhere = readConfig({ BURSAR_CHAIN_ID: "8453" });
  const platform = { metrics: createMetrics() } as never;
  expect(startFault(await thrown(() => openChains(elsewhere, platform, [])), elsewhere)).toBe(
    "BURSAR_OPERATOR_KEY must be set on every chain but the local one",
  );
  const config = readConfig({});
  const locks = { redisUrl: undefined, databaseUrl: undefined };
  expect(startFault(await thrown(() => chooseLocks("redis", locks)), config)).toBe(
    "BURSAR_LOCKS is redis, but REDIS_URL is not set",
  );
  const prices = { prices: new Map([["nope", {}]]) } as never;
  expect(startFault(await thrown(() => assertPricedActionsExist(new Map(), prices)), config)).toBe(
    "BURSAR_PRICES: there is no action nope to put a price on",
  );
});

it("names BURSAR_CHAIN_ID for a chain without contracts, and leaves our own faults alone", async () => {
  const config = readConfig({});
  expect(startFault(await thrown(() => contractsOn(4242)), config)).toMatch(
    /31337 and 31338 are supported today; see BURSAR_CHAIN_ID/,
  );
  expect(startFault(new TypeError("x is not a function"), config)).toBeNull();
});
