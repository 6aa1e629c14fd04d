import { randomUUID } from "node:crypto";
import { createPublicClient, erc20Abi, http, keccak256, stringToHex } from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BursarError } from "#offchain/core/error.ts";
import { type ChannelTerms, channelId, signDeposit, signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { provenReceipts, verifyReceipt } from "#offchain/sdk/receipt.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  until,
} from "../../../support/stack.ts";

let stack: TestStack;
let channel: PayingChannel;
const payer = account(4);
const payee = account(5);

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "600000",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
  });
  await stack.agent(4).register("Payer", "buyer");
  await stack.agent(5).register("Payee", "seller");
  channel = await stack.agent(4).openChannel({ payee: payee.address, deposit: "5" });
}, 240_000);

afterAll(() => stack?.stop());

const accepted = async () => {
  const { accepted } = await stack.client.channels.show({ channelId: channel.channelId });
  return BigInt(Math.round(Number(accepted.amount) * 1e6));
};

/** What the service holds that a refused payment might have changed. */
const books = async () => {
  const [shown, payments, reconciliation] = await Promise.all([
    stack.client.channels.show({ channelId: channel.channelId }),
    stack.client.payments.list(),
    stack.client.ledger.reconcile(),
  ]);
  return { shown, payments, sums: reconciliation.sums, differences: reconciliation.differences };
};

async function voucher(
  cumulative: bigint,
  signer = payer,
  signedFor = chainId,
  signedChannel = channel.channelId,
) {
  return signVoucher(signer, signedFor, { channelId: signedChannel, maxClaimableAmount: cumulative });
}

async function refused(body: object): Promise<BursarError> {
  const before = await books();
  const error = await stack.client.payments.pay(body as never).then(
    () => null,
    (reason: BursarError) => reason,
  );
  if (!error) throw new Error("the payment was accepted");
  expect(await books(), "nothing changed").toEqual(before);
  return error;
}

describe("a payment", () => {
  test("is acknowledged with a receipt, once for its key", async () => {
    const first = await channel.pay({ key: "first", amount: "0.001", reference: "hello" });
    expect(first).toMatchObject({
      payer: payer.address,
      payee: payee.address,
      amount: { amount: "0.001", unit: "USDC" },
      cumulative: "1000",
      state: "accepted",
      reference: "hello",
    });
    const body = {
      key: "first",
      channelId: channel.channelId,
      network: `eip155:${chainId}`,
      maxClaimableAmount: "1000",
      signature: await voucher(1000n),
      amount: "0.001",
      reference: "hello",
    };
    const again = await stack.client.payments.pay(body);
    expect(again).toEqual(await stack.client.payments.receipt({ paymentId: first.paymentId }));
  });

  test("of a hundred signed at once is accepted each by itself, in order", async () => {
    const base = await accepted();
    const payments = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => ({
        key: `crowd-${at}`,
        channelId: channel.channelId,
        network: `eip155:${chainId}`,
        maxClaimableAmount: (base + BigInt(at + 1) * 10n).toString(),
        signature: await voucher(base + BigInt(at + 1) * 10n),
      })),
    );
    const answer = await stack.client.payments.payBatch({ payments });
    expect(answer.items.every((item) => "receipt" in item)).toBe(true);
    expect(await accepted()).toBe(base + 1000n);
    const receipts = provenReceipts(answer);
    expect(receipts.map(({ key }) => key)).toEqual(payments.map(({ key }) => key));
    for (const receipt of receipts)
      expect(await verifyReceipt(receipt, { operator: account(0).address, chainId })).toBe(true);
    const [first, second] = receipts;
    if (!first || !second) throw new Error("no receipts");
    expect(
      await verifyReceipt({ ...first, proof: second.proof }, { operator: account(0).address, chainId }),
    ).toBe(false);
  });

  test("among others, a used key and a repetition keep nobody else from paying", async () => {
    const base = await accepted();
    const of = async (key: string, cumulative: bigint) => ({
      key,
      channelId: channel.channelId,
      network: `eip155:${chainId}`,
      maxClaimableAmount: cumulative.toString(),
      signature: await voucher(cumulative),
    });
    const earlier = await of("among-0", base + 10n);
    const first = await stack.client.payments.pay(earlier);
    const answer = await stack.client.payments.payBatch({
      payments: [
        await of("among-1", base + 20n),
        await of("among-0", base + 30n),
        earlier,
        await of("among-2", base + 40n),
        await of("among-2", base + 40n),
      ],
    });
    expect(
      answer.items.map((item) =>
        "receipt" in item ? [item.receipt.key, item.receipt.amount.amount] : item.error.error_code,
      ),
    ).toEqual([
      ["among-1", "0.00001"],
      "IDEMPOTENCY_CONFLICT",
      ["among-0", "0.00001"],
      ["among-2", "0.00002"],
      ["among-2", "0.00002"],
    ]);
    const receipts = provenReceipts(answer);
    for (const receipt of receipts)
      expect(await verifyReceipt(receipt, { operator: account(0).address, chainId })).toBe(true);
    expect(receipts.map(({ paymentId }) => paymentId)[1]).toBe(first.paymentId);
    expect(new Set(receipts.map(({ paymentId }) => paymentId)).size).toBe(3);
    expect(await accepted()).toBe(base + 40n);
  });
});

describe("bad input is refused by name and changes nothing", () => {
  const body = async (change: object = {}, cumulative?: bigint) => {
    const next = cumulative ?? (await accepted()) + 100n;
    return {
      key: `bad-${randomUUID()}`,
      channelId: channel.channelId,
      network: `eip155:${chainId}`,
      maxClaimableAmount: next.toString(),
      signature: await voucher(next),
      ...change,
    };
  };

  test("a forged voucher: VOUCHER_FORGED", async () => {
    const next = (await accepted()) + 100n;
    const error = await refused(await body({ signature: await voucher(next, account(6)) }));
    expect(error).toMatchObject({
      code: "VOUCHER_FORGED",
      status: 401,
      facts: { signer: payer.address, recovered: account(6).address },
    });
  });

  test("a voucher signed for another chain: NETWORK_MISMATCH names it", async () => {
    const next = (await accepted()) + 100n;
    expect(await refused(await body({ signature: await voucher(next, payer, 8453) }))).toMatchObject({
      code: "NETWORK_MISMATCH",
      facts: { got: "eip155:8453", wanted: `eip155:${chainId}` },
    });
  });

  test("a voucher signed for another of the payer's channels: CHANNEL_MISMATCH names it", async () => {
    const other = await stack.agent(4).openChannel({ payee: payee.address, deposit: "1", label: "other" });
    await other.pay({ key: "known", amount: "0.001" });
    const next = (await accepted()) + 100n;
    expect(
      await refused(await body({ signature: await voucher(next, payer, chainId, other.channelId) })),
    ).toMatchObject({ code: "CHANNEL_MISMATCH", facts: { signedFor: other.channelId } });
  });

  test("a payment meant for another chain: NETWORK_MISMATCH", async () => {
    expect(await refused(await body({ network: "eip155:1" }))).toMatchObject({
      code: "NETWORK_MISMATCH",
      facts: { got: "eip155:1", wanted: `eip155:${chainId}` },
    });
  });

  test("a voucher signed for another channel: VOUCHER_FORGED", async () => {
    const next = (await accepted()) + 100n;
    const other = keccak256(stringToHex("another channel"));
    expect(
      await refused(await body({ signature: await voucher(next, payer, chainId, other) })),
    ).toMatchObject({ code: "VOUCHER_FORGED" });
  });

  test("a payee who is not the channel's: CHANNEL_MISMATCH", async () => {
    expect(await refused(await body({ payee: account(6).address }))).toMatchObject({
      code: "CHANNEL_MISMATCH",
      facts: { receiver: payee.address },
    });
  });

  test("a channel that nobody opened: CHANNEL_UNKNOWN", async () => {
    const other = keccak256(stringToHex("no channel"));
    const error = await refused(
      await body({ channelId: other, signature: await voucher(100n, payer, chainId, other) }, 100n),
    );
    expect(error).toMatchObject({ code: "CHANNEL_UNKNOWN", facts: { channelId: other } });
  });

  test("a replayed voucher under another key: VOUCHER_REPLAYED", async () => {
    expect(await refused(await body({}, 1000n))).toMatchObject({
      code: "VOUCHER_REPLAYED",
      facts: { key: "first" },
    });
  });

  test("a stale voucher: VOUCHER_STALE", async () => {
    expect(await refused(await body({}, 999n))).toMatchObject({
      code: "VOUCHER_STALE",
      facts: { got: "999" },
    });
  });

  test("a voucher beyond the deposit: VOUCHER_OVER_DEPOSIT", async () => {
    expect(await refused(await body({}, 5_000_001n))).toMatchObject({
      code: "VOUCHER_OVER_DEPOSIT",
      facts: { got: "5000001", limit: "5000000" },
    });
  });

  test("an amount that the voucher does not add: AMOUNT_INVALID", async () => {
    expect(await refused(await body({ amount: "0.5" }))).toMatchObject({
      code: "AMOUNT_INVALID",
      facts: { added: "100" },
    });
  });

  test("the key of another payment: IDEMPOTENCY_CONFLICT", async () => {
    expect(await refused(await body({ key: "first" }))).toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
      facts: { key: "first" },
    });
  });

  test("a work ticket that does not exist: TICKET_UNKNOWN", async () => {
    expect(await refused(await body({ ticketId: "00000000-0000-4000-8000-000000000000" }))).toMatchObject({
      code: "TICKET_UNKNOWN",
    });
  });

  const malformed: [string, object, string][] = [
    ["no signature", { signature: undefined }, "signature"],
    ["a signature that is no hexadecimal", { signature: "signed" }, "signature"],
    ["a negative amount", { maxClaimableAmount: "-1" }, "maxClaimableAmount"],
    ["an amount with decimals", { maxClaimableAmount: "1.5" }, "maxClaimableAmount"],
    ["an amount in exponents", { maxClaimableAmount: "1e3" }, "maxClaimableAmount"],
    ["an amount beyond uint128", { maxClaimableAmount: (1n << 128n).toString() }, "maxClaimableAmount"],
    ["a number for an amount", { maxClaimableAmount: 1000 }, "maxClaimableAmount"],
    ["a channel id that is too short", { channelId: "0x12" }, "channelId"],
    ["an empty key", { key: "" }, "key"],
    ["a key with a line break", { key: "a\nb" }, "key"],
    ["a network that is a name", { network: "mainnet" }, "network"],
  ];
  test.each(malformed)("%s: VALIDATION_INVALID_INPUT names the field", async (_, change, field) => {
    const error = await refused(await body(change));
    expect(error.code).toBe("VALIDATION_INVALID_INPUT");
    expect(error.fields.map((fault) => fault.field)).toContain(field);
  });

  test("a body that is no JSON: BODY_MALFORMED", async () => {
    const response = await fetch(`${stack.apiUrl}/api/v1/payments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error_code: "BODY_MALFORMED" });
  });

  test("a body beyond the limit: BODY_TOO_LARGE", async () => {
    const response = await fetch(`${stack.apiUrl}/api/v1/payments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key: "x".repeat(2 * 1024 * 1024) }),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error_code: "BODY_TOO_LARGE" });
  });
});

describe("opening a channel", () => {
  const terms = (change: Partial<ChannelTerms> = {}): ChannelTerms => ({
    payer: payer.address,
    payerAuthorizer: payer.address,
    receiver: payee.address,
    receiverAuthorizer: account(0).address,
    token: contracts.TestUSDC,
    withdrawDelay: 86_400,
    salt: keccak256(stringToHex("bad channel")),
    ...change,
  });

  async function open(config: ChannelTerms, amount = 1_000n) {
    const deposit = await signDeposit(
      payer,
      chainId,
      { address: contracts.TestUSDC, name: "USD Coin", version: "2" },
      {
        channelId: channelId(config, chainId),
        amount,
        validAfter: 0n,
        validBefore: BigInt(Math.floor(Date.now() / 1000) + 3600),
        salt: 7n,
      },
    );
    return stack.client.channels.open({ config, deposit }).then(
      () => null,
      (error: BursarError) => error,
    );
  }

  test("by or to an unknown agent: AGENT_UNKNOWN", async () => {
    const stranger = account(9).address;
    expect(await open(terms({ receiver: stranger }))).toMatchObject({
      code: "AGENT_UNKNOWN",
      facts: { address: stranger },
    });
  });

  test("in another token: VALIDATION_INVALID_INPUT names the field", async () => {
    const error = await open(terms({ token: contracts.Treasury }));
    expect(error).toMatchObject({ code: "VALIDATION_INVALID_INPUT", fields: [{ field: "config.token" }] });
  });

  test("that the service may not claim: VALIDATION_INVALID_INPUT names the field", async () => {
    const error = await open(terms({ receiverAuthorizer: payee.address }));
    expect(error).toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      fields: [{ field: "config.receiverAuthorizer" }],
    });
  });

  test("with more than the payer has: INSUFFICIENT_FUNDS, with what it has and what it needs", async () => {
    const error = await open(terms(), 10n ** 12n);
    expect(error).toMatchObject({ code: "INSUFFICIENT_FUNDS", facts: { needed: String(10n ** 12n) } });
    expect(error?.message).toMatch(/^0x\w{40} has [\d.]+ USDC, and the deposit is 1000000$/);
  });
});

test("a settled batch moves the money to the payee on the chain, and the books say the same", async () => {
  const client = createPublicClient({ transport: http(stack.rpcUrl) });
  const balance = () =>
    client.readContract({
      address: contracts.TestUSDC,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [payee.address],
    });
  const owed = await accepted();
  const { batchId } = await stack.operator.batches.flush();
  const settled = await until(
    () => stack.client.batches.show({ batchId: batchId ?? "" }),
    ({ state }) => state === "settled",
  );
  expect(settled).toMatchObject({
    closedBy: "forced",
    channels: 2,
    transactionHash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    decisions: [{ action: "settle", reason: "forced" }],
  });
  // 10,000 USDC are from the deployment, 0.001 came over the payer's other channel.
  expect(await balance()).toBe(10_000_000_000n + owed + 1_000n);
  const reconciliation = await stack.client.ledger.reconcile();
  expect(reconciliation).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true, differences: [] });
  const { items } = await stack.client.payments.list({ batchId: batchId ?? "" });
  expect(items[0]).toMatchObject({ state: "settled", transactionHash: settled.transactionHash });
});
