import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { payingFetch } from "#offchain/sdk/payingFetch.ts";

const usdc = `0x${"aa".repeat(20)}` as const;
const nonceUsed = "invalid_exact_evm_nonce_already_used";

/** A server that asks for a payment, and says of each that its nonce is used: somebody else has sent it. */
function overtakenServer() {
  const payments: string[] = [];
  const accepts = [
    {
      scheme: "exact",
      network: "eip155:31337",
      asset: usdc,
      amount: "1000",
      payTo: `0x${"22".repeat(20)}`,
      maxTimeoutSeconds: 60,
      extra: { name: "USD Coin", version: "2" },
    },
  ];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const payment = request.headers.get("payment-signature");
    if (payment) payments.push(payment);
    const asked = {
      x402Version: 2,
      error: payment ? nonceUsed : "Payment required",
      resource: { url: request.url },
      accepts,
    };
    const header = Buffer.from(JSON.stringify(asked)).toString("base64");
    return new Response("{}", { status: 402, headers: { "payment-required": header } });
  };
  return { payments, fetch };
}

test("a payment whose nonce somebody has used is not paid again: its money has moved", async () => {
  const { payments, fetch } = overtakenServer();
  let now = Date.now();
  const pay = payingFetch(fetch, {
    account: privateKeyToAccount(generatePrivateKey()),
    chainId: 31_337,
    usdc,
    maxPrice: "0.01",
    now: () => now,
  });
  const spent = { code: "PAYMENT_SPENT", facts: { reason: nonceUsed } };
  await expect(pay("http://shop.example/report")).rejects.toMatchObject(spent);
  await expect(pay("http://shop.example/report")).rejects.toMatchObject(spent);
  expect(payments.length).toBe(2);
  expect(new Set(payments).size, "the same one, and no second").toBe(1);
  now += 3_600_000;
  await expect(pay("http://shop.example/report")).rejects.toMatchObject(spent);
  await expect(pay("http://shop.example/report")).rejects.toMatchObject(spent);
  expect(new Set(payments).size, "once it has expired its owner was told, and may pay anew").toBe(2);
});
