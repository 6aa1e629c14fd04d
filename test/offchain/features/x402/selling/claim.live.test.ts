import { wrapFetchWithPayment } from "@x402/fetch";
import { type Hex, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gasPerClaim, SalesClaimer } from "#offchain/features/x402/selling/claim.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
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
import { channelConfigOf, channelTerms, fundChannel, sendPayment } from "./channelBuyer.ts";
import { officialClient } from "./officialClient.ts";

const world = { overview: { wallets: async () => ({ items: [], next: null }) } } as never;

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let shop: ReturnType<typeof shopOf>;
let door: Awaited<ReturnType<typeof openX402Door>>;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain, { own: { gasPerClaim } });
  shop = shopOf(chain, service.facilitator, '{"wallets.list":"0.001"}');
  door = await openX402Door(world, { BURSAR_LOG_LEVEL: "silent" }, shop);
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});

/** Each buys once, by a channel of its own. */
async function sellTo(count: number) {
  const buyers = [];
  while (buyers.length < count) buyers.push(await chain.payer());
  for (let from = 0; from < buyers.length; from += 20)
    await Promise.all(
      buyers.slice(from, from + 20).map(async (buyer) => {
        const paying = wrapFetchWithPayment(fetch, officialClient(chain, buyer, "batch-settlement"));
        expect((await paying(`${door.url}/api/v1/wallets`)).status).toBe(200);
      }),
    );
  return buyers;
}

/** By ERC-1271. */
const saysYes = "0x631626ba7e60e01b5f5260205ff3";
const saysNo = "0x5f5ffd";

/** A payer without a voucher key, whose code says what the tests want; it has bought once. */
async function openLiar() {
  const payer = privateKeyToAccount(generatePrivateKey()).address;
  await chain.node.client.setCode({ address: payer, bytecode: saysYes });
  const url = `${door.url}/api/v1/wallets`;
  const accepted = await channelTerms(url);
  const channelConfig = channelConfigOf(chain, accepted, payer, zeroAddress);
  const channelId = await fundChannel(chain, channelConfig, 10_000n);
  const voucher = { channelId, maxClaimableAmount: "1000", signature: "0x00" };
  expect(await sendPayment(url, accepted, { type: "voucher", channelConfig, voucher })).toMatchObject({
    status: 200,
  });
  return { payer, channelId };
}

/** Does `before` with each transaction that waits, and brings it into a block, until the work is over. */
async function mineUntil(work: Promise<unknown>, before: () => Promise<void>): Promise<void> {
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const { transactions } = await chain.node.client.getBlock({ blockTag: "pending" });
    if (transactions.length > 0) {
      await before();
      await chain.node.client.mine({ blocks: 1 });
    }
    await new Promise((done) => setTimeout(done, 20));
  }
}

test("what 120 channels have paid is collected in one pass", async () => {
  await sellTo(120);
  const before = await chain.balanceOf(seller);
  expect(await claimSales(shop)).toMatchObject({ claims: 120 });
  expect((await chain.balanceOf(seller)) - before).toBe(120_000n);

  // Half of what a claim may cost is left to payers that are contracts.
  const [first] = await chain.database.sql<{ gas_used: bigint }[]>`
    SELECT gas_used FROM chain_transaction WHERE purpose = 'x402.claim' ORDER BY id LIMIT 1`;
  expect(first?.gas_used).toBeLessThan((100n * gasPerClaim * 11n) / 20n);
});

test("a channel that the chain refuses keeps back none of the others", async () => {
  await sellTo(5);
  const owing = (await shop.channels.list()).filter(({ totalClaimed }) => totalClaimed === "0");
  const denied = owing[1]?.channelId ?? "";
  // As of a payer that is a contract and now denies what it signed.
  const signature = `0x${"11".repeat(65)}`;
  await shop.channels.updateChannel(denied, (current) => current && { ...current, signature });
  const before = await chain.balanceOf(seller);
  expect(await claimSales(shop)).toMatchObject({ claims: 4, refused: [denied] });
  expect((await chain.balanceOf(seller)) - before).toBe(4_000n);
});

test("a channel that was charged for more than it holds pays what it holds, and the chain is asked again", async () => {
  const [buyer] = await sellTo(1);
  if (!buyer) throw new Error("nobody has bought");
  const channel = (await shop.channels.list()).find(
    ({ channelConfig }) => channelConfig.payer === buyer.address,
  );
  if (!channel) throw new Error("the channel is not recorded");
  const { balance } = channel;
  const channelId = channel.channelId as Hex;
  // As of a record that counted the deposit twice.
  const charged = BigInt(balance) + 1_000n;
  const signature = await signVoucher(buyer, chainId, { channelId, maxClaimableAmount: charged });
  await shop.channels.updateChannel(channelId, () => ({
    ...channel,
    signature,
    signedMaxClaimable: charged.toString(),
    chargedCumulativeAmount: charged.toString(),
    balance: (2n * BigInt(balance)).toString(),
  }));
  const before = await chain.balanceOf(seller);
  expect(await claimSales(shop)).toMatchObject({ claims: 1, refused: expect.arrayContaining([channelId]) });
  expect((await chain.balanceOf(seller)) - before).toBe(BigInt(balance));
  expect(await shop.channels.get(channelId)).toMatchObject({ onchainSyncedAt: 0, totalClaimed: balance });
  expect(await claimSales(shop)).toMatchObject({ claims: 0 });
});

test("a payer that is code, and says yes to calls and no in a block, keeps back nobody and is not sent again at once", async () => {
  const liar = await openLiar();
  await sellTo(4);
  let now = Date.now();
  const claimer = new SalesClaimer(shop, { now: () => now });
  const before = await chain.balanceOf(seller);
  await chain.node.client.setAutomine(false);
  const running = claimer.run();
  await mineUntil(running, () => chain.node.client.setCode({ address: liar.payer, bytecode: saysNo }));
  await chain.node.client.setAutomine(true);
  expect(await running).toMatchObject({ claims: 4, refused: expect.arrayContaining([liar.channelId]) });
  expect((await chain.balanceOf(seller)) - before).toBe(4_000n);
  await chain.node.client.setCode({ address: liar.payer, bytecode: saysYes });
  expect(await claimer.run()).toMatchObject({ claims: 0, refused: [] });
  now += 60_000;
  expect(await claimer.run(), "it is asked again later").toMatchObject({ claims: 1 });
});

test("what was sold is claimed also while the operator takes no call of strangers", async () => {
  await sellTo(2);
  const short = await startFacilitator(chain, {
    own: { gasPerClaim },
    limits: { balanceMin: 10n ** 30n, maxToJudge: 0, maxJudged: 0 },
  });
  try {
    const claiming = shopOf(chain, short.facilitator, '{"wallets.list":"0.001"}');
    expect(await claimSales(claiming)).toMatchObject({ claims: 2 });
  } finally {
    await short.stop();
  }
});
