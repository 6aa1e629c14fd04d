import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { type ChainClient, connectChain } from "#offchain/platform/chain/client/client.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { ConnectionError } from "#offchain/platform/database/driver/errors.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { until } from "../../../support/node.ts";
import {
  chainId,
  clock,
  domain,
  operator,
  pay,
  requestOf,
  requirementsFor,
  seller,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";
import { channelScheme } from "../selling/officialClient.ts";

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
/** The database breaks when it carries out such a statement, so often. */
const breaking = { at: "", times: 0 };
/** Lines of the service's log. */
const logged: string[] = [];

beforeAll(async () => {
  chain = await startX402Chain();
  const destination = { write: (line: string) => void logged.push(line) };
  const log = createLog({ level: "warn", clock, destination });
  service = await startFacilitator({ ...chain, database: { sql: frail(chain.database.sql) } }, { log });
});
afterAll(async () => {
  await service?.stop();
  await chain?.stop();
});

afterEach(async () => {
  breaking.times = 0;
  logged.length = 0;
  await chain.node.client.setAutomine(true);
  await chain.node.client.mine({ blocks: 1 });
});

const lost = () => new ConnectionError("CONNECTION_LOST", "the connection broke");

const frail = (sql: Sql): Sql =>
  new Proxy(sql, {
    apply(target, self, [strings, ...values]: [TemplateStringsArray, ...unknown[]]) {
      if (breaking.times > 0 && strings.join("?").includes(breaking.at)) {
        breaking.times -= 1;
        return Promise.reject(lost());
      }
      return Reflect.apply(target, self, [strings, ...values]);
    },
  });

async function payment() {
  const requirements = requirementsFor(chain.usdc);
  return requestOf(await pay(await chain.payer(), requirements), requirements);
}

/** A channel's first payment, which brings its deposit. */
async function depositRequest() {
  const requirements = {
    ...requirementsFor(chain.usdc),
    scheme: "batch-settlement",
    extra: { ...domain, receiverAuthorizer: operator.address, withdrawDelay: 900 },
  };
  const made = await channelScheme(chain, await chain.payer()).createPaymentPayload(2, requirements);
  return requestOf({ ...made, x402Version: 2, accepted: requirements }, requirements);
}

const paid = async (run: () => Promise<unknown>): Promise<bigint> => {
  const before = await chain.balanceOf(seller);
  await run();
  return (await chain.balanceOf(seller)) - before;
};

const settled = (request: Awaited<ReturnType<typeof payment>>) =>
  until(
    () => service.facilitator.settle(request),
    ({ errorReason }) => errorReason !== "settlement_pending",
  );

test.each([
  ["loses its connection to the database", lost(), 0],
  ["is turned away by the database", new BursarError("OVERLOADED", "too many queries are waiting"), 0],
  ["fails in a way that nobody foresaw", new Error("canceling statement due to statement timeout"), 1],
])("a settle that %s while it waits for its block is pending, and paid once", async (_, error, lines) => {
  const request = await payment();
  const wait = service.sender.wait.bind(service.sender);
  let hasFailed = false;
  service.sender.wait = async (...args) => {
    if (hasFailed) return wait(...args);
    hasFailed = true;
    throw error;
  };
  await chain.node.client.setAutomine(false);
  const sum = await paid(async () => {
    expect(await service.facilitator.settle(request)).toMatchObject({
      success: false,
      errorReason: "settlement_pending",
    });
    await chain.node.client.setAutomine(true);
    await chain.node.client.mine({ blocks: 1 });
    expect(await settled(request)).toMatchObject({ success: true });
  });
  service.sender.wait = wait;
  expect(sum).toBe(1_000n);
  expect(logged.filter((line) => line.includes("could not be delivered"))).toHaveLength(lines);
});

test("a settle whose answer cannot be stored after its block has come has not failed", async () => {
  const request = await payment();
  Object.assign(breaking, { at: "UPDATE x402_settlement SET outcome", times: 2 });
  const sum = await paid(async () => {
    // The settle that sends it, and the one that resumes it.
    for (let times = 0; times < 2; times += 1)
      expect(await service.facilitator.settle(request)).toMatchObject({ errorReason: "settlement_pending" });
    expect(await service.facilitator.settle(request)).toMatchObject({ success: true });
  });
  expect([sum, breaking.times]).toEqual([1_000n, 0]);
});

test("a settle is pending also while its transaction cannot be looked up", async () => {
  const request = await payment();
  const { wait, find } = service.sender;
  const fails = () => Promise.reject(lost());
  Object.assign(service.sender, { wait: fails, find: fails });
  const sum = await paid(async () => {
    expect(await service.facilitator.settle(request)).toMatchObject({ errorReason: "settlement_pending" });
    Object.assign(service.sender, { wait, find });
    expect(await settled(request)).toMatchObject({ success: true });
  });
  expect(sum).toBe(1_000n);
});

test("a settle whose commit was carried out and not answered goes on with what is stored", async () => {
  const request = await payment();
  const { sql } = chain.database;
  const begin = sql.begin.bind(sql);
  let hasBroken = false;
  sql.begin = (async (run: Parameters<typeof begin>[0]) => {
    const done = await begin(run);
    const [{ count = 0n } = {}] = await sql<{ count: bigint }[]>`
      SELECT count(*) FROM x402_settlement WHERE outcome IS NULL`;
    if (hasBroken || count === 0n) return done;
    hasBroken = true;
    throw new ConnectionError("CONNECTION_LOST_IN_COMMIT", "the connection broke before COMMIT was answered");
  }) as typeof sql.begin;
  const sum = await paid(async () =>
    expect(await service.facilitator.settle(request)).toMatchObject({ success: true }),
  );
  sql.begin = begin as typeof sql.begin;
  expect([sum, hasBroken]).toEqual([1_000n, true]);
});

test("a payment that the service cannot take now is not told as one that failed, and is settled later", async () => {
  const requirements = requirementsFor(chain.usdc);
  const request = requestOf(await pay(await chain.payer(), requirements), requirements);
  for (const limits of [{ balanceMin: 10n ** 30n }, { maxRelayed: 0 }]) {
    const busy = await startFacilitator(chain, { limits });
    expect(await busy.facilitator.settle(request)).toMatchObject({
      success: false,
      errorReason: "unexpected_settle_error",
    });
    await busy.stop();
  }
  expect(await service.facilitator.settle(request)).toMatchObject({ success: true });
});

/** From now on the first so many readings are answered, and no other. @returns what ends it */
function unreadable({ untrustedCode }: ChainClient, answered: number): () => void {
  const reader = untrustedCode.reader.bind(untrustedCode);
  let readings = 0;
  untrustedCode.reader = (gasMax) => {
    const honest = reader(gasMax);
    return {
      ...honest,
      readContract: ((call) => {
        readings += 1;
        if (readings > answered)
          return Promise.reject(new BursarError("CHAIN_UNAVAILABLE", "the provider is silent"));
        return honest.readContract(call);
      }) as typeof honest.readContract,
    };
  };
  return () => {
    untrustedCode.reader = reader;
  };
}

test("a deposit whose channel cannot be read after its block is pending, and is never counted twice", async () => {
  const impatient = await startFacilitator(chain, { settleTimeoutMs: 1 });
  const request = await depositRequest();
  await chain.node.client.setAutomine(false);
  expect(await impatient.facilitator.settle(request)).toMatchObject({ errorReason: "settlement_pending" });
  await impatient.stop();
  await chain.node.client.setAutomine(true);
  await chain.node.client.mine({ blocks: 1 });
  const client = connectChain({ chainId, rpcUrl: chain.node.url, pollIntervalMs: 50 });
  const another = await startFacilitator(chain, { client });
  for (const answered of [0, 1]) {
    const mend = unreadable(client, answered);
    expect(await another.facilitator.settle(request)).toMatchObject({ errorReason: "settlement_pending" });
    mend();
  }
  expect(await another.facilitator.settle(request)).toMatchObject({
    success: true,
    extra: { channelState: { balance: "5000" } },
  });
  await another.stop();
});
