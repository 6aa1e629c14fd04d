import { encodeFunctionData, type Hex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { type Authorization, transferToSign } from "#offchain/features/x402/messages.ts";
import { devAccount } from "../../../support/node.ts";
import { mint } from "../../../support/token.ts";
import {
  chainId,
  domain,
  openX402Door,
  pay,
  requestOf,
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
let runs = 0;
const stranger = devAccount(3);

const world = {
  overview: {
    wallets: async () => {
      runs += 1;
      return { items: [], next: null };
    },
  },
  agents: { list: async () => ({ items: [], next: null }) },
} as never;

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  const shop = shopOf(chain, service.facilitator, '{"wallets.list":"0.001","agents.list":"0.001"}');
  door = await openX402Door(world, { BURSAR_LOG_LEVEL: "silent" }, shop);
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});

/** Dearer than whatever the service sends. */
const first = { gas: 500_000n, maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 11n } as const;

const slowly = { timeout: 60_000 };

/** The service's transaction that waits for its block. */
async function waiting(): Promise<Hex> {
  let input: Hex | undefined;
  await expect
    .poll(async () => {
      const block = await chain.node.client.getBlock({ blockTag: "pending", includeTransactions: true });
      input = block.transactions.find(({ to }) => to === chain.usdc.toLowerCase())?.input;
      return input;
    }, slowly)
    .toBeDefined();
  return input ?? "0x";
}

/** Somebody sends what everybody can see. */
const relay = (data: Hex) =>
  chain.node.client.sendTransaction({ account: stranger, to: chain.usdc, data, ...first });

/** Does something while the service's transaction waits, so that it comes first; what the service then answers. */
async function overtaken<Answer, Done>(
  ask: () => Promise<Answer>,
  first: (data: Hex) => Promise<Done>,
): Promise<{ answer: Answer; done: Done; data: Hex }> {
  await chain.node.client.setAutomine(false);
  try {
    const asked = ask();
    asked.catch(() => {});
    const data = await waiting();
    const done = await first(data);
    await chain.node.client.mine({ blocks: 1 });
    return { answer: await asked, done, data };
  } finally {
    await chain.node.client.setAutomine(true);
  }
}

/** As the shop asks for them. */
const terms = () => ({ ...requirementsFor(chain.usdc), maxTimeoutSeconds: 60 });

const sold = async (run: () => Promise<unknown>) => {
  const before = await chain.balanceOf(seller);
  await run();
  return (await chain.balanceOf(seller)) - before;
};

async function buy(path: string, payment: unknown, at = door.url) {
  const headers = { "payment-signature": Buffer.from(JSON.stringify(payment)).toString("base64") };
  const response = await fetch(`${at}/api/v1/${path}`, { headers });
  const receipt = response.headers.get("payment-response") ?? response.headers.get("payment-required");
  const told = Buffer.from(receipt ?? "", "base64").toString() || "null";
  return { status: response.status, receipt: JSON.parse(told) };
}

test("a payment that somebody else sent first is settled, by their transaction, and once", async () => {
  const requirements = terms();
  const request = requestOf(await pay(await chain.payer(), requirements), requirements);
  const sum = await sold(async () => {
    const { answer, done } = await overtaken(() => service.facilitator.settle(request), relay);
    expect(answer).toMatchObject({ success: true, transaction: done });
    expect(await service.facilitator.settle(request), "again: the same answer").toEqual(answer);
  });
  expect(sum).toBe(1_000n);
});

test("a sale whose payment somebody else sent first is answered, and buys nothing else", async () => {
  const payment = await pay(await chain.payer(), terms());
  const before = runs;
  const sum = await sold(async () => {
    const { answer, done } = await overtaken(() => buy("wallets", payment), relay);
    expect(answer).toMatchObject({ status: 200, receipt: { success: true, transaction: done } });
    expect(await buy("wallets", payment), "again: the same answer").toEqual(answer);
    expect(await buy("agents", payment)).toMatchObject({
      status: 402,
      receipt: { errorReason: "invalid_exact_evm_nonce_already_used" },
    });
  });
  expect(sum).toBe(1_000n);
  expect(runs - before, "and was run once").toBe(1);
});

test("a payment that failed, and that somebody else sends later, buys what it was signed for, and that once", async () => {
  const account = await chain.payer(1_000n);
  const payment = await pay(account, terms());
  await chain.node.client.setBalance({ address: account.address, value: 10n ** 18n });
  const away = (data: Hex) =>
    chain.node.client.sendTransaction({
      account,
      to: chain.usdc,
      data: encodeFunctionData({
        abi: testUsdcAbi,
        functionName: "transfer",
        args: [stranger.address, data.length > 0 ? 1_000n : 0n],
      }),
      ...first,
    });
  const { answer, data } = await overtaken(() => buy("wallets", payment), away);
  expect(answer).toMatchObject({ status: 402, receipt: { success: false } });
  await mint(chain.node, chain.usdc, [[account.address, 1_000n]]);
  const hash = await relay(data);
  await chain.node.client.waitForTransactionReceipt({ hash });
  const sum = await sold(async () => {
    expect(await buy("wallets", payment)).toMatchObject({ status: 200, receipt: { transaction: hash } });
    expect(await buy("agents", payment)).toMatchObject({ status: 402 });
    const { sql } = chain.database;
    await sql`DELETE FROM x402_sale`;
    expect(await buy("wallets", payment), "though its sale is forgotten").toMatchObject({ status: 402 });
  });
  expect(sum).toBe(0n);
});

test("an authorization that its payer has cancelled pays nothing", async () => {
  const account = await chain.payer();
  const payment = await pay(account, terms());
  const { nonce } = (payment.payload as { authorization: { nonce: Hex } }).authorization;
  const signature = await account.signTypedData({
    domain: { name: "USD Coin", version: "2", chainId: 31_337, verifyingContract: chain.usdc },
    types: {
      CancelAuthorization: [
        { name: "authorizer", type: "address" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "CancelAuthorization",
    message: { authorizer: account.address, nonce },
  });
  const data = encodeFunctionData({
    abi: testUsdcAbi,
    functionName: "cancelAuthorization",
    args: [account.address, nonce, signature],
  });
  const sum = await sold(async () => {
    const { answer } = await overtaken(
      () => buy("wallets", payment),
      () => relay(data),
    );
    expect(answer).toMatchObject({
      status: 402,
      receipt: { success: false, errorReason: "invalid_exact_evm_nonce_already_used" },
    });
  });
  expect(sum).toBe(0n);
});

test("a payment that was used before the shop has seen it buys nothing", async () => {
  const requirements = terms();
  const payment = await pay(await chain.payer(), requirements);
  // As if another shop of the same seller had sold for it.
  const { success } = await service.facilitator.settle(requestOf(payment, requirements));
  expect(success).toBe(true);
  expect(await buy("wallets", payment)).toMatchObject({
    status: 402,
    receipt: { error: "invalid_exact_evm_nonce_already_used" },
  });
});

test("a sale that died after its payment is answered also when the authorization has expired meanwhile", async () => {
  const shop = shopOf(chain, service.facilitator, '{"wallets.list":"0.001"}');
  let dies = true;
  const end: typeof shop.sales.end = async (...sold) => {
    if (!dies) return shop.sales.end(...sold);
    dies = false;
    throw new Error("the database is gone");
  };
  const forgetful = await openX402Door(
    world,
    { BURSAR_LOG_LEVEL: "silent" },
    { ...shop, sales: { ...shop.sales, end } },
  );
  const account = await chain.payer();
  const payment = await pay(account, terms());
  const { authorization } = payment.payload as { authorization: Authorization };
  const expiring = { ...authorization, validBefore: String(Math.floor(Date.now() / 1000) + 10) };
  const token = { ...domain, chainId, verifyingContract: chain.usdc };
  const signature = await account.signTypedData(transferToSign(expiring, token));
  const signed = { ...payment, payload: { authorization: expiring, signature } };
  const sum = await sold(async () => {
    expect((await buy("wallets", signed, forgetful.url)).status).toBe(500);
    // The official scheme takes none that ends within six seconds.
    await new Promise((done) => setTimeout(done, 5_500));
    expect(await buy("wallets", signed, forgetful.url)).toMatchObject({
      status: 200,
      receipt: { success: true },
    });
  });
  expect(sum).toBe(1_000n);
  await forgetful.close();
});
