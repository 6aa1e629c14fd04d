import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/server";
import { ExactEvmScheme as OfficialPayer } from "@x402/evm/exact/client";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import { paymentMiddleware, x402ResourceServer } from "@x402/hono";
import { Hono } from "hono";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  ledgerBudget,
  type PayingFetchOptions,
  payingFetch,
  paymentReceipt,
} from "#offchain/sdk/payingFetch.ts";
import { fileStates } from "#offchain/sdk/states.ts";
import { blocksOf } from "../../../../scripts/check/docs.ts";
import { type Program, startProgram, untilReady } from "../../../../scripts/stack/process.ts";
import { testPort } from "../../support/port.ts";
import {
  chainId,
  domain,
  network,
  openX402Door,
  operator,
  seller,
  shopOf,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../support/x402.ts";

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let door: Awaited<ReturnType<typeof openX402Door>>;
let official: Awaited<ReturnType<typeof startOfficialShop>>;
let folder: string;
let runs = 0;

const world = {
  overview: {
    wallets: async () => {
      runs += 1;
      return { items: [], next: null };
    },
  },
} as never;

beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, "../../../../data/paying-"));
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  const shop = shopOf(chain, service.facilitator, '{"wallets.list":"0.001"}');
  door = await openX402Door({ ...(world as object), x402: service.facilitator }, {}, shop);
  official = await startOfficialShop(`${door.url}/x402`);
});
afterAll(async () => {
  official?.server.close();
  await door?.close();
  await service?.stop();
  await chain?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  runs = 0;
});

/** A shop of the official packages alone; our service is only its facilitator. */
async function startOfficialShop(facilitatorUrl: string) {
  const facilitator = new HTTPFacilitatorClient({ url: facilitatorUrl });
  const channels = new BatchSettlementEvmScheme(seller, {
    receiverAuthorizerSigner: {
      address: operator.address,
      signTypedData: (message) => operator.signTypedData(message as never),
    },
  });
  const resource = new x402ResourceServer(facilitator)
    .register(network, new ExactEvmScheme())
    .register(network, channels);
  const price = { asset: chain.usdc, amount: "1000", extra: domain };
  const terms = (scheme: string) => ({ scheme, network, payTo: seller, price });
  const app = new Hono();
  app.use(
    paymentMiddleware(
      {
        "GET /exact": { accepts: terms("exact") },
        "GET /channel": { accepts: terms("batch-settlement") },
      },
      resource,
    ),
  );
  app.get("/exact", (context) => context.json({ sold: "exactly" }));
  app.get("/channel", (context) => context.json({ sold: "by channel" }));
  const server = createServer(getRequestListener(app.fetch));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const manager = channels.createChannelManager(facilitator, network, chain.usdc);
  return { url: `http://127.0.0.1:${address.port}`, server, manager };
}

const sold = async (run: () => Promise<unknown>) => {
  const before = await chain.balanceOf(seller);
  await run();
  return (await chain.balanceOf(seller)) - before;
};

async function payer(options: Partial<PayingFetchOptions> = {}, fetch = globalThis.fetch, amount?: bigint) {
  const account = await chain.payer(amount);
  return payingFetch(fetch, { account, chainId, usdc: chain.usdc, maxPrice: "0.001", ...options });
}

/** A network that loses the first answers to paid requests, after the server gave them. */
function losing(count: number) {
  const paid: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const header = request.headers.get("payment-signature");
    const response = await globalThis.fetch(request);
    if (!header) return response;
    paid.push(header);
    if (paid.length > count) return response;
    await response.arrayBuffer();
    throw new TypeError("fetch failed");
  };
  return { fetch, paid };
}

/** The shop of docs/x402.md, with our addresses where its reader has his own. */
async function docsShop(): Promise<{ program: Program; url: string }> {
  const root = join(import.meta.dirname, "../../../..");
  const blocks = blocksOf("x402.md", await readFile(join(root, "docs/x402.md"), "utf8"));
  const shop = blocks.find(({ language, text }) => language === "ts" && text.includes("paymentMiddleware"));
  if (!shop) throw new Error("docs/x402.md has no shop any more");
  const port = await testPort();
  const given = `const usdc = "${chain.usdc}"; const account = { address: "${seller}" as const };\n`;
  const code = shop.text.replace("http://127.0.0.1:4020", door.url).replace("4030", String(port));
  const file = join(folder, "shop.ts");
  await writeFile(file, code.replace("\nconst network", `\n${given}const network`));
  const program = startProgram({ name: "the shop", command: process.execPath, args: [file] });
  const url = `http://127.0.0.1:${port}/report`;
  await untilReady(program, async () => (await fetch(url)).status === 402, { timeoutMs: 60_000 });
  return { program, url };
}

test("the shop of the docs sells to our client and to the official one", async () => {
  const { program, url } = await docsShop();
  try {
    const ours = await payer({ maxPrice: "0.002" });
    const account = await chain.payer();
    const client = x402Client.fromConfig({
      schemes: [{ network, client: new OfficialPayer(account) }],
      spendControls: false,
    });
    for (const pay of [ours, wrapFetchWithPayment(fetch, client)]) {
      const earned = await sold(async () => {
        const response = await pay(url);
        expect([response.status, await response.json()]).toEqual([200, { weather: "fine" }]);
      });
      expect(earned).toBe(2_000n);
    }
  } finally {
    await program.stop();
  }
});

describe("our client pays our server", () => {
  test("and is given the receipt with carbon and ATP", async () => {
    const paying = await payer();
    const response = await paying(`${door.url}/api/v1/wallets`);
    expect(response.status).toBe(200);
    expect(paymentReceipt(response)).toMatchObject({
      success: true,
      bursar: {
        action: "wallets.list",
        charged: { amount: "0.001", unit: "USDC" },
        carbon: { co2Micrograms: expect.any(String) },
        energy: { atp: { unit: "ATP" } },
      },
    });
  });

  test("once, with one signature, though its answers are lost twice", async () => {
    const { fetch, paid } = losing(2);
    const paying = await payer({}, fetch);
    const sum = await sold(async () => expect((await paying(`${door.url}/api/v1/wallets`)).status).toBe(200));
    expect([sum, paid.length, new Set(paid).size, runs]).toEqual([1_000n, 3, 1, 1]);
  });

  test("once, though it dies without an answer and starts again", async () => {
    const account = await chain.payer();
    const states = fileStates(join(folder, "restart"));
    const lost = losing(1_000);
    const dying = await payer({ account, states, retry: { deadlineMs: 300 } }, lost.fetch);
    const url = `${door.url}/api/v1/wallets?limit=7`;
    const sum = await sold(async () => {
      await expect(dying(url)).rejects.toMatchObject({ code: "PAYMENT_UNANSWERED" });
      const restarted = await payer({ account, states: fileStates(join(folder, "restart")) });
      expect((await restarted(url)).status).toBe(200);
    });
    expect([sum, runs]).toEqual([1_000n, 1]);
  });

  test("twenty times at once, each with a payment of its own", async () => {
    const paying = await payer();
    const sum = await sold(async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => paying(`${door.url}/api/v1/wallets`)),
      );
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    });
    expect(sum).toBe(20_000n);
  });

  test("by four channels at once, without collisions", async () => {
    const paying = await payer({ channels: { reader: chain.node.client as never, stripes: 4 } });
    const answers = await Promise.all(Array.from({ length: 20 }, () => paying(`${door.url}/api/v1/wallets`)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    const transactions = answers.map((answer) => paymentReceipt(answer)?.transaction).filter(Boolean);
    expect(transactions).toHaveLength(4);
  });
});

describe("our client does not sign", () => {
  const watched = () => {
    let signed = 0;
    return {
      count: () => signed,
      async account() {
        const { address, signTypedData } = await chain.payer();
        return {
          address,
          signTypedData: ((message: never) => {
            signed += 1;
            return signTypedData(message);
          }) as typeof signTypedData,
        };
      },
    };
  };

  test("above its highest price", async () => {
    const watch = watched();
    const paying = await payer({ account: await watch.account(), maxPrice: "0.000999" });
    await expect(paying(`${door.url}/api/v1/wallets`)).rejects.toMatchObject({
      code: "AMOUNT_ABOVE_MAXIMUM",
      facts: { price: 1_000n, maxPrice: 999n },
    });
    expect(watch.count()).toBe(0);
  });

  test("against its budget, which is asked first", async () => {
    const watch = watched();
    const asked: string[] = [];
    const budget = ledgerBudget({
      ledger: {
        canSpend: async ({ amount }: { amount: string }) => {
          asked.push(amount);
          return { canSpend: false, reason: "BUDGET_EXCEEDED", broken: ["daily"] };
        },
      },
    } as never);
    const paying = await payer({ account: await watch.account(), budget });
    await expect(paying(`${door.url}/api/v1/wallets`)).rejects.toMatchObject({
      code: "BUDGET_EXCEEDED",
      facts: { reason: "BUDGET_EXCEEDED, daily" },
    });
    expect([asked, watch.count(), runs]).toEqual([["0.001"], 0, 0]);
  });

  test("for another token", async () => {
    const paying = await payer({ usdc: seller });
    await expect(paying(`${door.url}/api/v1/wallets`)).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
  });
});

describe("our client pays an official server, through our facilitator", () => {
  test("by the exact scheme", async () => {
    const paying = await payer();
    const sum = await sold(async () => {
      const response = await paying(`${official.url}/exact`);
      expect([response.status, await response.json()]).toEqual([200, { sold: "exactly" }]);
      expect(paymentReceipt(response)).toMatchObject({ success: true, network });
    });
    expect(sum).toBe(1_000n);
  });

  test("by a channel, one deposit for many requests", async () => {
    const paying = await payer({ channels: { reader: chain.node.client as never } });
    const deposits = [];
    for (let count = 0; count < 4; count += 1) {
      const response = await paying(`${official.url}/channel`);
      expect(response.status).toBe(200);
      if (paymentReceipt(response)?.transaction) deposits.push(count);
    }
    expect(deposits).toEqual([0]);
  });

  test("by a channel that the official manager then claims, settles and refunds through our facilitator", async () => {
    const account = await chain.payer();
    const paying = await payer({ account, channels: { reader: chain.node.client as never } });
    await official.manager.claimAndSettle();
    const sum = await sold(async () => {
      for (let count = 0; count < 3; count += 1) await paying(`${official.url}/channel`);
      expect((await official.manager.claimAndSettle()).claims).toHaveLength(1);
      await official.manager.refund();
    });
    expect([sum, await chain.balanceOf(account.address)]).toEqual([3_000n, 997_000n]);
  });

  test("and is told why it is refused, without money", async () => {
    const paying = await payer({}, fetch, 0n);
    const response = await paying(`${official.url}/exact`);
    expect(response.status).toBe(402);
    const required = JSON.parse(
      Buffer.from(response.headers.get("payment-required") ?? "", "base64").toString(),
    );
    expect(required.error).toBe("insufficient_funds");
  });

  test("never twice when the answer is lost and the server forgets: it says that the payment is spent", async () => {
    const { fetch } = losing(1);
    const paying = await payer({}, fetch);
    const sum = await sold(async () => {
      await expect(paying(`${official.url}/exact`)).rejects.toMatchObject({ code: "PAYMENT_SPENT" });
      await expect(paying(`${official.url}/exact`)).rejects.toMatchObject({ code: "PAYMENT_SPENT" });
    });
    expect(sum).toBe(1_000n);
  });
});
