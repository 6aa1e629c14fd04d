import { wrapFetchWithPayment, x402HTTPClient } from "@x402/fetch";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { assertPricedActionsExist } from "#offchain/app/call.ts";
import { actions } from "#offchain/app/features.ts";
import { parsePrices } from "#offchain/features/x402/rules/price.ts";
import { openSale } from "#offchain/features/x402/selling/sale.ts";
import type { Facilitator } from "#offchain/features/x402/service.ts";
import {
  claimSales,
  network,
  openX402Door,
  pay,
  requirementsFor,
  seller,
  shopOf,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../../support/x402.ts";
import { channelScheme, officialClient } from "./officialClient.ts";

const prices = JSON.stringify({
  "wallets.list": "0.001",
  "agents.list": { amount: "0.01", perItem: "0.001" },
  "carbon.estimate": "0.002",
});
const estimatePath = "/api/v1/carbon/estimates";
const work = { work: { kind: "compute", computeType: "GPU", durationMs: 1000 } };

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let shop: ReturnType<typeof shopOf>;
let door: Awaited<ReturnType<typeof openX402Door>>;
let runs = 0;
let failure: Error | null = null;

const world = {
  overview: {
    wallets: async () => {
      runs += 1;
      if (failure) throw failure;
      return { items: [], next: null };
    },
  },
  agents: {
    list: async () => ({ items: [{ name: "a" }, { name: "b" }, { name: "c" }], next: null }),
  },
} as never;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  shop = shopOf(chain, service.facilitator, prices);
  door = await openX402Door(world, {}, shop);
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});
afterEach(() => {
  failure = null;
});

const decoded = (header: string | null) =>
  JSON.parse(Buffer.from(header ?? "", "base64").toString()) as Record<string, never>;
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");

async function ask(path: string, headers: Record<string, string> = {}, init: RequestInit = {}) {
  const response = await fetch(new URL(path, door.url), { ...init, headers: { ...headers } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const sold = async (run: () => Promise<unknown>) => {
  const before = await chain.balanceOf(seller);
  await run();
  return (await chain.balanceOf(seller)) - before;
};

describe("an action with a price", () => {
  test("asks for payment in the header, with an empty body, and runs nothing", async () => {
    const before = runs;
    const { status, headers, text } = await ask("/api/v1/wallets");
    expect([status, text]).toEqual([402, "{}"]);
    expect(decoded(headers.get("payment-required"))).toMatchObject({
      x402Version: 2,
      error: "Payment required",
      resource: { url: `${door.url}/api/v1/wallets`, mimeType: "application/json" },
      accepts: [
        { scheme: "exact", network, amount: "1000", asset: chain.usdc, payTo: seller },
        { scheme: "batch-settlement", network, amount: "1000" },
      ],
    });
    expect(runs).toBe(before);
  });

  test("asks in the body when the client speaks version 1", async () => {
    const { status, text } = await ask("/api/v1/wallets", { "x-payment": "" });
    expect(status).toBe(402);
    expect(JSON.parse(text)).toMatchObject({
      x402Version: 1,
      accepts: [{ scheme: "exact", network: "hardhat", maxAmountRequired: "1000", payTo: seller }],
    });
  });

  test("leaves an action without a price free", async () => {
    expect((await ask("/openapi.json")).status).toBe(200);
  });

  test.each([
    ["no.such", "no action"],
    ["x402.verify", "no action"],
  ])("cannot stand on %s", (name, why) => {
    const pricing = { feature: "x402", prices: parsePrices(`{"${name}":"1"}`), sell: openSale(shop) };
    expect(() => assertPricedActionsExist(actions, pricing)).toThrow(why);
  });

  test("judges the input before it asks for money", async () => {
    const { status } = await ask(
      estimatePath,
      { "content-type": "application/json" },
      { method: "POST", body: JSON.stringify({ work: { kind: "?" } }) },
    );
    expect(status).toBe(400);
  });
});

describe("the official client pays our server", () => {
  test("by the exact scheme, and is given the answer with a receipt of money, carbon and ATP", async () => {
    const account = await chain.payer();
    const client = officialClient(chain, account, "exact");
    const paying = wrapFetchWithPayment(fetch, client);
    const sum = await sold(async () => {
      const response = await paying(`${door.url}${estimatePath}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(work),
      });
      expect(response.status).toBe(200);
      expect(await response.json()).toHaveProperty("co2Micrograms");
      const receipt = new x402HTTPClient(client).getPaymentSettleResponse((name) =>
        response.headers.get(name),
      );
      expect(receipt).toMatchObject({
        success: true,
        payer: account.address,
        extensions: {
          bursar: {
            action: "carbon.estimate",
            charged: { amount: "0.002", unit: "USDC" },
            carbon: { co2Micrograms: expect.stringMatching(/^\d+$/) },
            energy: { atp: { unit: "ATP" } },
          },
        },
      });
    });
    expect(sum).toBe(2_000n);
  });

  test("by a channel: one deposit, then vouchers, each charged what the meter says, and claimed once", async () => {
    const paying = wrapFetchWithPayment(
      fetch,
      officialClient(chain, await chain.payer(), "batch-settlement"),
    );
    const buy = async () => {
      const response = await paying(`${door.url}/api/v1/agents`);
      expect(response.status).toBe(200);
      return decoded(response.headers.get("payment-response"));
    };
    expect(await buy()).toMatchObject({ transaction: expect.stringMatching(/^0x/) });
    const block = await chain.node.client.getBlockNumber();
    for (let count = 0; count < 3; count += 1)
      expect(await buy()).toMatchObject({ success: true, transaction: "" });
    expect(await chain.node.client.getBlockNumber()).toBe(block);
    expect(await sold(() => claimSales(shop))).toBe(12_000n);
    expect(await sold(() => claimSales(shop))).toBe(0n);
  });

  test("by a channel, and has the rest of its deposit back when it asks", async () => {
    const account = await chain.payer();
    const scheme = channelScheme(chain, account);
    const paying = wrapFetchWithPayment(fetch, officialClient(chain, account, "batch-settlement", scheme));
    const url = `${door.url}/api/v1/wallets`;
    for (let count = 0; count < 2; count += 1) expect((await paying(url)).status).toBe(200);
    const before = runs;
    expect(await scheme.refund(url)).toMatchObject({ success: true });
    expect([await chain.balanceOf(account.address), runs]).toEqual([998_000n, before]);
    expect(await sold(() => claimSales(shop))).toBe(2_000n);
  });

  test("by a channel whose claim died before its payout: the next run pays out", async () => {
    const paying = wrapFetchWithPayment(
      fetch,
      officialClient(chain, await chain.payer(), "batch-settlement"),
    );
    expect((await paying(`${door.url}/api/v1/wallets`)).status).toBe(200);
    const dying: Facilitator["settle"] = async (request) => {
      const { payload } = request.paymentPayload as { payload: { type: string } };
      if (payload.type === "settle") throw new Error("killed");
      return shop.facilitator.settle(request);
    };
    const died = claimSales({ ...shop, facilitator: { ...shop.facilitator, settle: dying } });
    await expect(died).rejects.toThrow("killed");
    expect(await sold(() => claimSales(shop))).toBe(1_000n);
  });

  test("twenty at once, by one payer", async () => {
    const paying = wrapFetchWithPayment(fetch, officialClient(chain, await chain.payer(), "exact"));
    const sum = await sold(async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => paying(`${door.url}/api/v1/wallets`)),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    });
    expect(sum).toBe(20_000n);
  });
});

describe("a payment that comes again", () => {
  const header = async (amount = 1_000n) => {
    const account = await chain.payer();
    const requirements = { ...requirementsFor(chain.usdc, amount), maxTimeoutSeconds: 60 };
    return { "payment-signature": encoded(await pay(account, requirements)) };
  };

  test("with the same request has the same answer, runs nothing and pays nothing", async () => {
    const headers = await header();
    const first = await ask("/api/v1/wallets", headers);
    expect(first.status).toBe(200);
    const before = runs;
    const sum = await sold(async () => {
      const again = await ask("/api/v1/wallets", headers);
      expect([again.status, again.text]).toEqual([200, first.text]);
      expect(again.headers.get("payment-response")).toBe(first.headers.get("payment-response"));
    });
    expect([sum, runs]).toEqual([0n, before]);
  });

  test("ten times at once is served once and paid once", async () => {
    const headers = await header();
    const before = runs;
    const sum = await sold(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask("/api/v1/wallets", headers)));
      const served = answers.filter(({ status }) => status === 200);
      expect(served.length).toBeGreaterThan(0);
      for (const { status } of answers) expect([200, 409, 402]).toContain(status);
    });
    expect([sum, runs]).toEqual([1_000n, before + 1]);
  });

  test("with another request is refused, and says so", async () => {
    const headers = await header();
    await ask("/api/v1/wallets", headers);
    const before = runs;
    const other = await ask("/api/v1/wallets?limit=7", headers);
    expect(other.status).toBe(402);
    expect(JSON.parse(other.text)).toMatchObject({ explain: { about: "nonce" } });
    expect(runs).toBe(before);
  });

  test("after an action that failed is not charged, and may be used again", async () => {
    const headers = await header();
    failure = new Error("broken");
    expect(await sold(async () => expect((await ask("/api/v1/wallets", headers)).status).toBe(500))).toBe(0n);
    failure = null;
    expect(await sold(async () => expect((await ask("/api/v1/wallets", headers)).status).toBe(200))).toBe(
      1_000n,
    );
  });

  test("after a block that did not come is withheld, then answered, and paid once", async () => {
    const slow = await startFacilitator(chain, { settleTimeoutMs: 100 });
    const second = await openX402Door(world, {}, shopOf(chain, slow.facilitator, prices));
    const headers = await header();
    const url = `${second.url}/api/v1/wallets`;
    await chain.node.client.setAutomine(false);
    const sum = await sold(async () => {
      const withheld = await fetch(url, { headers });
      expect(withheld.status).toBe(402);
      expect(decoded(withheld.headers.get("payment-response"))).toMatchObject({
        errorReason: "settlement_pending",
      });
      await chain.node.client.setAutomine(true);
      await chain.node.client.mine({ blocks: 1 });
      await expect.poll(async () => (await fetch(url, { headers })).status, { timeout: 60_000 }).toBe(200);
    });
    expect(sum).toBe(1_000n);
    await second.close();
    await slow.stop();
  });
});

describe("an answer that is lost between the payment and its record", () => {
  /** A shop whose record of a sale fails as often as `failures` says. */
  async function forgetful() {
    const flaky = { failures: 0 };
    const { sales } = shop;
    const end: typeof sales.end = async (...sold) => {
      if (flaky.failures > 0) {
        flaky.failures -= 1;
        throw new Error("the database is gone");
      }
      await sales.end(...sold);
    };
    const second = await openX402Door(
      world,
      { BURSAR_LOG_LEVEL: "silent" },
      { ...shop, sales: { ...sales, end } },
    );
    return { flaky, url: second.url, close: () => second.close() };
  }

  test.each(["exact", "batch-settlement"] as const)(
    "is given to the same payment by %s, charged once",
    async (scheme) => {
      const { flaky, url, close } = await forgetful();
      const sent: string[] = [];
      const spying: typeof fetch = async (input, init) => {
        const request = new Request(input, init);
        const header = request.headers.get("payment-signature");
        if (header) sent.push(header);
        return fetch(request);
      };
      const paying = wrapFetchWithPayment(spying, officialClient(chain, await chain.payer(), scheme));
      const target = `${url}/api/v1/wallets`;
      // A channel's first payment is its deposit; the second is a voucher.
      const before = scheme === "exact" ? 0n : 1_000n;
      const sum = await sold(async () => {
        if (scheme !== "exact") expect((await paying(target)).status).toBe(200);
        flaky.failures = 1;
        expect((await paying(target)).status).toBe(500);
        const header = sent.at(-1) ?? "";
        const again = await fetch(target, { headers: { "payment-signature": header } });
        expect([again.status, await again.text()]).toEqual([200, '{"items":[],"next":null}']);
        const third = await fetch(target, { headers: { "payment-signature": header } });
        expect(third.status).toBe(200);
        await claimSales(shop);
      });
      expect(sum).toBe(before + 1_000n);
      await close();
    },
  );

  test("is given to the same deposit, collected once", async () => {
    const { flaky, url, close } = await forgetful();
    const sent: string[] = [];
    const paying = wrapFetchWithPayment(
      async (input, init) => {
        const request = new Request(input, init);
        sent.push(request.headers.get("payment-signature") ?? "");
        return fetch(request);
      },
      officialClient(chain, await chain.payer(), "batch-settlement"),
    );
    flaky.failures = 1;
    const sum = await sold(async () => {
      expect((await paying(`${url}/api/v1/wallets`)).status).toBe(500);
      const headers = { "payment-signature": sent.at(-1) ?? "" };
      expect((await fetch(`${url}/api/v1/wallets`, { headers })).status).toBe(200);
      await claimSales(shop);
    });
    expect(sum).toBe(1_000n);
    await close();
  });
});

describe("what is sent in the header", () => {
  test("and is malformed answers 400", async () => {
    for (const text of [
      "%%%",
      "bm8=",
      encoded([1]),
      encoded({ x402Version: 9, payload: {} }),
      encoded({ x402Version: 2 }),
    ]) {
      const { status, text: body } = await ask("/api/v1/wallets", { "payment-signature": text });
      expect([status, JSON.parse(body).error_code]).toEqual([400, "PAYMENT_MALFORMED"]);
    }
  });

  test("and is of version 1 is accepted, with its receipt in version 1's header", async () => {
    const requirements = { ...requirementsFor(chain.usdc), maxTimeoutSeconds: 60 };
    const { payload } = await pay(await chain.payer(), requirements);
    const { status, headers } = await ask("/api/v1/wallets", {
      "x-payment": encoded({ x402Version: 1, scheme: "exact", network: "hardhat", payload }),
    });
    expect(status).toBe(200);
    expect(decoded(headers.get("x-payment-response"))).toMatchObject({ success: true, network: "hardhat" });
  });

  test("and is refused says why in words", async () => {
    const requirements = { ...requirementsFor(chain.usdc), maxTimeoutSeconds: 60 };
    const payment = await pay(await chain.payer(0n), requirements);
    const { status, headers, text } = await ask("/api/v1/wallets", { "payment-signature": encoded(payment) });
    expect(status).toBe(402);
    expect(JSON.parse(text)).toMatchObject({ error: "insufficient_funds", explain: { about: "funds" } });
    expect(decoded(headers.get("payment-required"))).toMatchObject({ error: "insufficient_funds" });
  });
});
