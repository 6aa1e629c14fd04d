import { afterAll, beforeAll, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import type { Facilitator } from "#offchain/features/x402/service.ts";
import {
  openX402Door,
  pay,
  requirementsFor,
  seller,
  shopOf,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let door: Awaited<ReturnType<typeof openX402Door>>;
/** What the second run of a sale meets. */
const failing: { action: Error | null; settle: Error | null } = { action: null, settle: null };

const world = {
  overview: {
    wallets: async () => {
      if (failing.action) throw failing.action;
      return { items: [], next: null };
    },
  },
} as never;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain, { settleTimeoutMs: 100 });
  const { facilitator } = service;
  const settle: Facilitator["settle"] = async (request) => {
    if (failing.settle) throw failing.settle;
    return facilitator.settle(request);
  };
  const shop = shopOf(chain, { ...facilitator, settle }, '{"wallets.list":"0.001"}');
  door = await openX402Door(world, { BURSAR_LOG_LEVEL: "silent" }, shop);
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});

const outage = new BursarError("CHAIN_UNAVAILABLE", "the provider is silent");

test.each([
  ["action", 503],
  ["settle", 402],
] as const)(
  "a sale whose payment is on its way is remembered when its second run's %s throws",
  async (what, status) => {
    const requirements = { ...requirementsFor(chain.usdc), maxTimeoutSeconds: 60 };
    const payment = JSON.stringify(await pay(await chain.payer(), requirements));
    const headers = { "payment-signature": Buffer.from(payment).toString("base64") };
    const ask = async () => (await fetch(`${door.url}/api/v1/wallets`, { headers })).status;
    const before = await chain.balanceOf(seller);
    await chain.node.client.setAutomine(false);
    expect(await ask()).toBe(402);
    failing[what] = outage;
    expect(await ask()).toBe(status);
    failing[what] = null;
    await chain.node.client.setAutomine(true);
    await chain.node.client.mine({ blocks: 1 });
    await expect.poll(ask, { timeout: 10_000 }).toBe(200);
    expect((await chain.balanceOf(seller)) - before).toBe(1_000n);
  },
);
