import { numberToHex, parseSignature } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { gasPerClaim } from "#offchain/features/x402/selling/claim.ts";
import {
  claimSales,
  openX402Door,
  seller,
  shopOf,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";
import { openBuyer } from "./channelBuyer.ts";

const prices = '{"wallets.list":"0.001","agents.list":{"amount":"0.002","perItem":"0.001"}}';
/** The order of secp256k1: the twin of a signature has s below it. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const price = 1_000n;

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
/** It claims what was sold, and waits for its blocks. */
let patient: Awaited<ReturnType<typeof startFacilitator>>;
let shop: ReturnType<typeof shopOf>;
let door: Awaited<ReturnType<typeof openX402Door>>;
let url: string;
let runs = 0;
/** The next answer comes when this has ended. */
let held: Promise<void> | null = null;
/** How many items the metered answer has. */
let items = 1;

const list = async () => {
  runs += 1;
  const run = runs;
  const until = held;
  held = null;
  await until;
  return { items: [{ name: `run ${run}` }], next: null };
};
const world = {
  overview: { wallets: list },
  agents: { list: async () => ({ items: Array.from({ length: items }, (_, at) => ({ at })), next: null }) },
} as never;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain, { settleTimeoutMs: 1_500 });
  patient = await startFacilitator(chain, { own: { gasPerClaim } });
  shop = shopOf(chain, service.facilitator, prices);
  door = await openX402Door(world, { BURSAR_LOG_LEVEL: "silent" }, shop);
  url = `${door.url}/api/v1/wallets`;
});
afterAll(async () => {
  await door?.close();
  await patient?.stop();
  await service?.stop();
  await chain?.stop();
});
afterEach(async () => {
  held = null;
  items = 1;
  await chain.node.client.setAutomine(true);
});

const buyer = async (funds: bigint, wallet = 0n) => openBuyer(chain, url, await chain.payer(wallet), funds);

const claim = () => claimSales({ ...shop, facilitator: patient.facilitator });

/** What the seller has more once everything is claimed. */
async function earned(work: () => Promise<unknown>): Promise<bigint> {
  await claim();
  const before = await chain.balanceOf(seller);
  await work();
  await claim();
  return (await chain.balanceOf(seller)) - before;
}

async function mine() {
  await chain.node.client.setAutomine(true);
  await chain.node.client.mine({ blocks: 1 });
}

test.each([
  [
    "with v as 0 or 1",
    (signature: string) => `${signature.slice(0, 130)}${signature.endsWith("1b") ? "00" : "01"}`,
    200,
  ],
  [
    "with the high s",
    (signature: string) => {
      const { r, s, yParity } = parseSignature(signature as `0x${string}`);
      const twin = numberToHex(order - BigInt(s), { size: 32 }).slice(2);
      return `${r}${twin}${yParity === 0 ? "1c" : "1b"}`;
    },
    402,
  ],
])("a voucher %s is money or is refused", async (_, written, status) => {
  const { buy, send, voucher } = await buyer(10_000n);
  const sum = await earned(async () => {
    for (let count = 1n; count <= 3n; count += 1n)
      expect(await buy(count * price)).toMatchObject({ status: 200 });
    const last = await voucher(4n * price);
    const answer = await send({ type: "voucher", voucher: { ...last, signature: written(last.signature) } });
    expect(answer.status, answer.text).toBe(status);
  });
  expect(sum).toBe(status === 200 ? 4n * price : 3n * price);
});

describe("after a refund", () => {
  test("an answer costs what it cost before", async () => {
    const { buy, refund, send, deposit } = await buyer(3_000n, 100_000n);
    const sum = await earned(async () => {
      expect(await buy(price)).toMatchObject({ status: 200 });
      expect(await refund(price)).toMatchObject({ status: 200 });
      expect(await send(await deposit(price + 1n, 2n))).toMatchObject({ status: 402 });
      expect(await send(await deposit(2n * price, price))).toMatchObject({ status: 200 });
    });
    expect(sum).toBe(2n * price);
  });

  test("that is on its way nothing is sold by the channel, and nothing that went back with it", async () => {
    const { buy, refund } = await buyer(10_000n);
    const sum = await earned(async () => {
      expect(await buy(price)).toMatchObject({ status: 200 });
      await chain.node.client.setAutomine(false);
      expect(await refund(price)).toMatchObject({ status: 402 });
      const early = await buy(2n * price);
      expect(early).toMatchObject({ status: 402, reason: expect.stringContaining("channel_busy") });
      await mine();
      for (let count = 2n; count <= 4n; count += 1n)
        await expect
          .poll(async () => (await buy(count * price)).reason)
          .toMatch(/cumulative|channel_not_found/);
    });
    expect(sum).toBe(price);
  });
});

test("a refund is not given for a voucher that everybody has read, nor of a part", async () => {
  const { buy, refund, held: onChain } = await buyer(10_000n);
  expect(await buy(price)).toMatchObject({ status: 200 });
  const part = await refund(price, { amount: "1" });
  expect(part).toMatchObject({ status: 402, reason: expect.stringContaining("refund_of_a_part") });
  await claim();
  const late = await refund(price);
  expect(late).toMatchObject({ status: 402, reason: expect.stringContaining("voucher_is_public") });
  expect(await onChain()).toEqual([10_000n, price]);
  expect(await buy(2n * price), "the channel serves on").toMatchObject({ status: 200 });
});

test("a payer that is taking its money back buys nothing more with it", async () => {
  const { buy, initiateWithdraw, finalizeWithdraw, channelId } = await buyer(10_000n);
  const sum = await earned(async () => {
    expect(await buy(price)).toMatchObject({ status: 200 });
    await claim();
    await initiateWithdraw(9_000n);
    // What is recorded is believed for five minutes, and the money stays for fifteen.
    await shop.channels.updateChannel(channelId, (current) => current && { ...current, onchainSyncedAt: 0 });
    expect(await buy(2n * price)).toMatchObject({
      status: 402,
      reason: expect.stringContaining("withdrawal_pending"),
    });
    await chain.node.client.increaseTime({ seconds: 901 });
    await finalizeWithdraw();
    expect(await buy(2n * price)).toMatchObject({ status: 402 });
  });
  expect(sum).toBe(price);
});

test("one voucher buys once, however its payment is written", async () => {
  const { send, deposit, buy } = await buyer(0n, 10_000n);
  const sum = await earned(async () => {
    const paid = await deposit(price, 5_000n);
    await chain.node.client.setAutomine(false);
    const variants = [0, 1, 2, 3].map((note) => ({ ...paid, ...(note > 0 && { note }) }));
    for (const variant of variants) expect(await send(variant)).toMatchObject({ status: 402 });
    await mine();
    await expect.poll(async () => send(paid), { timeout: 60_000 }).toMatchObject({ status: 200 });
    const answers = await Promise.all(variants.map((variant) => send(variant)));
    expect(new Set(answers.map(({ text }) => text)).size, "the same answer").toBe(1);
    expect((await buy(price, `${url}?limit=7`)).status, "another request").toBe(402);
  });
  expect(sum).toBe(price);
});

test("of two requests by one voucher one is answered, however long the first takes", {
  timeout: 60_000,
}, async () => {
  const { buy, send, deposit } = await buyer(10_000n, 10_000n);
  let answers = 0;
  const sum = await earned(async () => {
    expect(await buy(price)).toMatchObject({ status: 200 });
    const paid = await deposit(2n * price, 1n);
    let release = () => {};
    held = new Promise((done) => {
      release = done;
    });
    const first = send(paid);
    await expect.poll(() => held === null, { timeout: 60_000 }).toBe(true);
    // The reservation of the channel has ended meanwhile.
    for (const { channelId, pendingRequest } of await shop.channels.list())
      if (pendingRequest)
        await shop.channels.updateChannel(
          channelId,
          (current) => current && { ...current, pendingRequest: { ...pendingRequest, expiresAt: 0 } },
        );
    const second = await buy(2n * price, `${url}?limit=7`);
    release();
    const [one, other] = [await first, second];
    answers = [one, other].filter(({ status }) => status === 200).length;
    expect([one.status, other.status]).toEqual([409, 200]);
  });
  expect([answers, sum]).toEqual([1, 2n * price]);
});

test("an answer without items costs nothing, and keeps nobody from the next", async () => {
  const metered = `${door.url}/api/v1/agents`;
  const account = await chain.payer(0n);
  const { buy } = await openBuyer(chain, metered, account, 10_000n);
  const sum = await earned(async () => {
    items = 0;
    expect(await buy(2n * price)).toMatchObject({ status: 200, text: '{"items":[],"next":null}' });
    items = 2;
    expect(await buy(2n * price)).toMatchObject({
      status: 200,
      text: '{"items":[{"at":0},{"at":1}],"next":null}',
    });
  });
  expect(sum).toBe(2n * price);
});

test("channels that cannot be claimed keep the others back by one transaction at the most", async () => {
  const shared = await chain.payer(0n);
  const buyers = [];
  for (let count = 0; count < 12; count += 1) buyers.push(await openBuyer(chain, url, shared, 2_000n));
  for (const { buy } of buyers) expect(await buy(price)).toMatchObject({ status: 200 });
  for (const { channelId } of buyers.filter((_, at) => at % 3 === 0))
    await shop.channels.updateChannel(
      channelId,
      (current) => current && { ...current, signature: `0x${"11".repeat(65)}` },
    );
  const sent = async () => {
    const [row] = await chain.database.sql<{ count: number }[]>`
      SELECT count(*)::int AS count FROM chain_transaction WHERE purpose = 'x402.claim'`;
    return row?.count ?? 0;
  };
  const before = await sent();
  const result = await claim();
  expect(result).toMatchObject({ claims: 8 });
  expect((await sent()) - before).toBe(1);
});
