import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { payingFetch, paymentReceipt } from "#offchain/sdk/payingFetch.ts";
import {
  chainId,
  claimSales,
  openX402Door,
  seller,
  shopOf,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";

const prices = '{"wallets.list":"0.001","agents.list":{"amount":"0.003","perItem":"0.001"}}';

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let shop: ReturnType<typeof shopOf>;
let door: Awaited<ReturnType<typeof openX402Door>>;
/** Each answer is another. */
let runs = 0;
/** How many items the next answers have. */
let items = 1;
/** What is to fail: the storing of an answer, or the so-manieth writing of a channel's record. */
const failing = { answer: false, write: 0, isCommitted: false };

const gone = () => new BursarError("STORE_UNAVAILABLE", "the database does not answer");

const world = {
  overview: {
    wallets: async () => {
      runs += 1;
      return { items: [{ name: `run ${runs}` }], next: null };
    },
  },
  agents: {
    list: async () => {
      runs += 1;
      return { items: Array.from({ length: items }, () => ({ name: `run ${runs}` })), next: null };
    },
  },
} as never;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  shop = shopOf(chain, service.facilitator, prices);
  const { sales, channels } = shop;
  const frail: typeof shop = {
    ...shop,
    sales: {
      ...sales,
      async end(...sold) {
        if (failing.answer) {
          failing.answer = false;
          throw gone();
        }
        await sales.end(...sold);
      },
    },
    channels: {
      ...channels,
      async updateChannel(...update) {
        const fails = failing.write > 0 && --failing.write === 0;
        if (fails && !failing.isCommitted) throw gone();
        const done = await channels.updateChannel(...update);
        if (fails) throw gone();
        return done;
      },
    },
  };
  door = await openX402Door(world, { BURSAR_LOG_LEVEL: "silent" }, frail);
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});
afterEach(() => {
  items = 1;
});

/** Buys by a channel, as the SDK does; what was bought, and what it cost by the receipts. */
async function buyer(path: string) {
  const account = await chain.payer();
  const paying = payingFetch(fetch, {
    account,
    chainId,
    usdc: chain.usdc,
    maxPrice: "0.003",
    channels: { reader: chain.node.client as never, maxDeposit: 1_000_000n },
    retry: { deadlineMs: 60_000 },
  });
  const bought = { answers: new Set<string>(), charged: 0n };
  return {
    bought,
    async buy() {
      const response = await paying(`${door.url}/api/v1/${path}`);
      expect(response.status, await response.clone().text()).toBe(200);
      bought.answers.add(await response.text());
      bought.charged += BigInt(paymentReceipt(response)?.extra?.chargedAmount as string);
    },
    record: async () =>
      (await shop.channels.list()).find(({ channelConfig }) => channelConfig.payer === account.address),
  };
}

/** What the seller has more after its claims. */
async function earned(work: () => Promise<void>): Promise<bigint> {
  await claimSales(shop);
  const before = await chain.balanceOf(seller);
  await work();
  await claimSales(shop);
  return (await chain.balanceOf(seller)) - before;
}

test.each([
  ["a deposit", 1],
  ["a voucher", 4],
])("a buyer whose answer to %s was lost is given it, and buys on", async (_, lost) => {
  const { buy, bought } = await buyer("wallets");
  const sum = await earned(async () => {
    for (let count = 1; count <= 8; count += 1) {
      failing.answer = count === lost;
      await buy();
    }
  });
  expect([bought.answers.size, bought.charged, sum]).toEqual([8, 8_000n, 8_000n]);
});

test.each([
  ["a deposit, not made", 1, false],
  ["a deposit, made and not answered", 1, true],
  ["a voucher, not made", 2, false],
  ["a voucher, made and not answered", 2, true],
] as const)(
  "what the record's charge for %s meets is told as an outage, and each answer is charged once",
  { timeout: 120_000 },
  async (_, at, isCommitted) => {
    const { buy, bought, record } = await buyer("wallets");
    const sum = await earned(async () => {
      for (let count = 1; count <= 4; count += 1) {
        // The first writing of a payment reserves the channel, the second charges it.
        Object.assign(failing, { write: count === at ? 2 : 0, isCommitted });
        await buy();
      }
    });
    expect([bought.answers.size, bought.charged, sum]).toEqual([4, 4_000n, 4_000n]);
    expect(await record()).toMatchObject({ chargedCumulativeAmount: "4000" });
  },
);

test("a resumed sale's receipt says what was charged, whatever the second run would cost", async () => {
  const { buy, bought, record } = await buyer("agents");
  await buy();
  failing.answer = true;
  const buying = buy();
  await expect.poll(() => failing.answer).toBe(false);
  items = 3;
  await buying;
  expect(bought.charged).toBe(2_000n);
  expect(await record()).toMatchObject({ chargedCumulativeAmount: "2000" });
});
