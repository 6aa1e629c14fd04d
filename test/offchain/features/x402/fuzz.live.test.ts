import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  openX402Door,
  pay,
  requirementsFor,
  shopOf,
  startFacilitator,
  startX402Chain,
  type X402Chain,
} from "../../support/x402.ts";

/** Together with the other half, above the 10,000 that are asked. */
const runsEach = 5_500;

let chain: X402Chain;
let service: Awaited<ReturnType<typeof startFacilitator>>;
let door: Awaited<ReturnType<typeof openX402Door>>;
let good: { payment: unknown; requirements: Record<string, unknown> };

beforeAll(async () => {
  chain = await startX402Chain();
  service = await startFacilitator(chain);
  const shop = shopOf(chain, service.facilitator, '{"wallets.list":"0.001"}');
  const world = { overview: { wallets: async () => Promise.reject(new Error("nothing was paid")) } };
  door = await openX402Door({ ...(world as object), x402: service.facilitator }, {}, shop);
  const requirements = { ...requirementsFor(chain.usdc), maxTimeoutSeconds: 60 };
  // Signed well, by somebody who has nothing: no change to it can make it good.
  good = { payment: await pay(await chain.payer(0n), requirements), requirements };
});
afterAll(async () => {
  await door?.close();
  await service?.stop();
  await chain?.stop();
});

/** All that a payment could have changed. */
async function state() {
  const { sql } = chain.database;
  const [counts] = await sql`
    SELECT (SELECT count(*) FROM x402_settlement)::int AS settlements, (SELECT count(*) FROM x402_sale)::int AS sales,
           (SELECT count(*) FROM x402_channel)::int AS channels, (SELECT count(*) FROM chain_transaction)::int AS transactions`;
  return { ...counts, block: await chain.node.client.getBlockNumber() };
}

/** Odd values for any place in a message. */
const odd = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  fc.constantFrom<unknown>(
    "",
    "0x",
    "0x0",
    "-1",
    "1e9",
    "9".repeat(90),
    `0x${"f".repeat(5000)}`,
    null,
    true,
    [],
    {},
    "__proto__",
    "eip155:1",
    "exact",
    "batch-settlement",
    "upto",
    "deposit",
    "voucher",
    "refund",
    "claim",
    "settle",
  ),
  fc.string({ unit: "binary", maxLength: 200 }),
);

const paths = (value: unknown, prefix: string[] = []): string[][] =>
  typeof value === "object" && value !== null
    ? [
        ...(prefix.length > 0 ? [prefix] : []),
        ...Object.entries(value).flatMap(([name, inner]) => paths(inner, [...prefix, name])),
      ]
    : [prefix];

function changed(message: unknown, path: readonly string[], value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  return { ...(message as object), [head]: changed((message as Record<string, unknown>)[head], rest, value) };
}

/** A good message with odd values in some places, or something that is no message at all. */
const spoilt = (message: () => unknown): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 3 }).map((changes) => {
        let result = message();
        for (const [at, value] of changes) {
          const all = paths(result);
          result = changed(result, all[at % all.length] ?? [], value);
        }
        return result;
      }),
    },
    odd,
  );

const channel = {
  payer: `0x${"11".repeat(20)}`,
  payerAuthorizer: `0x${"11".repeat(20)}`,
  receiver: `0x${"22".repeat(20)}`,
  receiverAuthorizer: `0x${"33".repeat(20)}`,
  token: `0x${"44".repeat(20)}`,
  withdrawDelay: 900,
  salt: `0x${"00".repeat(32)}`,
};
const voucher = {
  channelId: `0x${"55".repeat(32)}`,
  maxClaimableAmount: "1000",
  signature: `0x${"66".repeat(65)}`,
};
const authorization = {
  erc3009Authorization: {
    validAfter: "0",
    validBefore: "9999999999",
    salt: "0x01",
    signature: `0x${"66".repeat(65)}`,
  },
};
const claims = [
  { voucher: { channel, maxClaimableAmount: "1000" }, signature: voucher.signature, totalClaimed: "1000" },
];
const channelPayloads = [
  { type: "deposit", channelConfig: channel, voucher, deposit: { amount: "10000", authorization } },
  { type: "voucher", channelConfig: channel, voucher },
  { type: "refund", channelConfig: channel, voucher, amount: "1", refundNonce: "0", claims },
  { type: "claim", claims, claimAuthorizerSignature: voucher.signature },
  { type: "settle", receiver: channel.receiver, token: channel.token },
];

const request = (at: number) => {
  const requirements = at === 0 ? good.requirements : { ...good.requirements, scheme: "batch-settlement" };
  const payload = channelPayloads[at - 1];
  const paymentPayload = at === 0 ? good.payment : { x402Version: 2, accepted: requirements, payload };
  return { x402Version: 2, paymentPayload, paymentRequirements: requirements };
};

describe("whatever is sent", () => {
  test("to the facilitator is answered without a server error, and changes nothing", {
    timeout: 240_000,
  }, async () => {
    const before = await state();
    const message = fc.nat(channelPayloads.length).chain((at) => spoilt(() => request(at)));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("verify", "settle"), message, async (verb, body) => {
        const response = await door.http.app.request(`/x402/${verb}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body) ?? "",
        });
        const answer = (await response.json()) as Record<string, unknown>;
        expect(response.status, JSON.stringify(answer)).toBeLessThan(500);
        expect(answer.isValid ?? false).toBe(false);
        expect(answer.success ?? false).toBe(false);
        expect(JSON.stringify(answer)).not.toMatch(/node_modules|\bat .*\.ts:|postgres|127\.0\.0\.1/);
      }),
      { numRuns: runsEach },
    );
    expect(await state()).toEqual(before);
  });

  test("in the header of a priced request is answered without a server error, and changes nothing", {
    timeout: 240_000,
  }, async () => {
    const before = await state();
    const encoded = fc
      .nat(channelPayloads.length)
      .chain((at) => spoilt(() => request(at).paymentPayload))
      .map((value) => Buffer.from(JSON.stringify(value) ?? "").toString("base64"));
    const text = fc.oneof(
      { weight: 4, arbitrary: encoded },
      fc.string({ maxLength: 300 }).filter((raw) => /^[\x20-\x7e]*$/.test(raw)),
      fc.base64String({ maxLength: 300 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom("payment-signature", "x-payment"), text, async (name, value) => {
        const response = await door.http.app.request("/api/v1/wallets", { headers: { [name]: value } });
        const answer = await response.text();
        expect([400, 402], answer).toContain(response.status);
        expect(answer).not.toMatch(/node_modules|\bat .*\.ts:|postgres|127\.0\.0\.1/);
      }),
      { numRuns: runsEach },
    );
    expect(await state()).toEqual(before);
  });
});
