import { wrapFetchWithPayment } from "@x402/fetch";
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
import { officialClient } from "./officialClient.ts";

const prices = '{"wallets.list":"0.001","agents.list":{"amount":"0.01","perItem":"0.001"}}';

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let door: Awaited<ReturnType<typeof openX402Door>>;
/** What the second run of a sale meets. */
const failing: { action: Error | null; settle: Error | null } = { action: null, settle: null };

/** How many there are: a metered answer costs by them. */
let agents = 2;

const world = {
  overview: {
    wallets: async () => {
      if (failing.action) throw failing.action;
      return { items: [], next: null };
    },
  },
  agents: {
    list: async () => ({ items: Array.from({ length: agents }, () => ({ name: "a" })), next: null }),
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
  const shop = shopOf(chain, { ...facilitator, settle }, prices);
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
  ["settle", 503],
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
    await expect.poll(ask, { timeout: 60_000 }).toBe(200);
    expect((await chain.balanceOf(seller)) - before).toBe(1_000n);
  },
);

test.each([
  ["wallets", 2],
  ["agents", 2],
  ["agents", 3],
])(
  "a deposit that is on its way pays for the same request for %s, of %s items meanwhile, once it is there",
  async (path, items) => {
    agents = 2;
    const sent: string[] = [];
    const spying: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      sent.push(request.headers.get("payment-signature") ?? "");
      return fetch(request);
    };
    const client = officialClient(chain, await chain.payer(), "batch-settlement");
    const url = `${door.url}/api/v1/${path}`;
    await chain.node.client.setAutomine(false);
    expect((await wrapFetchWithPayment(spying, client)(url)).status).toBe(402);
    await chain.node.client.setAutomine(true);
    await chain.node.client.mine({ blocks: 1 });
    agents = items;
    const headers = { "payment-signature": sent.at(-1) ?? "" };
    await expect.poll(async () => (await fetch(url, { headers })).status, { timeout: 60_000 }).toBe(200);
  },
);
