import { type Address, type Hex, pad, toHex } from "viem";
import { afterAll, expect, test } from "vitest";
import { PayerSignatures } from "#offchain/features/payments/intake/payerSignature.ts";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";
import { startRecovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { withinRequest } from "#offchain/platform/requestContext.ts";
import { batchSettlementAddress } from "#offchain/sdk/paying/channel.ts";

const address = (digit: string) => `0x${digit.repeat(40)}` as Address;
const [payer, receiver, operator] = [address("1"), address("2"), address("3")];
const channelId = pad("0x7", { size: 32 });
const terms = {
  payer,
  payerAuthorizer: address("0"),
  receiver,
  receiverAuthorizer: operator,
  token: address("4"),
  withdrawDelay: 86_400,
  salt: pad("0x1", { size: 32 }),
};
const channel = {
  id: 1n,
  channelId,
  payer,
  payerAuthorizer: address("0"),
  receiver,
  isCleared: false,
  unit: "USDC" as const,
  balance: 1_000n,
  claimed: 0n,
  accepted: 100n,
  withdrawableAt: null as number | null,
  voucherSignature: null,
};
const booked = {
  id: 9n,
  channelId,
  key: "booked",
  unit: "USDC" as const,
  cumulative: 100n,
  amount: 100n,
  signature: new Uint8Array([1, 2, 3]),
  ticketId: null,
  reference: null,
  payee: null,
  receiver,
};

const coded = { getCode: async (): Promise<Hex> => "0x60" };

const recovery = startRecovery(1);
afterAll(() => recovery.close());

/** A payer with code, in a channel that stands so; nobody answers for the code. */
function open(change: Partial<typeof channel> = {}, client: { getCode(): Promise<Hex> } = coded) {
  const seen = { asked: 0, gases: new Set<bigint>(), now: 0, atOnce: 0 };
  const untrustedCode = new UntrustedCode((gasMax) => ({
    async call() {
      seen.asked += 1;
      seen.gases.add(gasMax);
      seen.now += 1;
      seen.atOnce = Math.max(seen.atOnce, seen.now);
      await new Promise((resume) => setImmediate(resume));
      seen.now -= 1;
      throw Object.assign(new Error("execution reverted"), { data: "0x" });
    },
  }));
  const payers = new PayerSignatures({
    client: client as never,
    untrustedCode: untrustedCode as never,
    view: { status: () => ({ runId: 1n, head: 1n, indexedTo: 1n }) as never },
    clock: { now: () => 0 },
    recovery,
    hasher: voucherHasher(31_337, batchSettlementAddress),
    settlement: batchSettlementAddress,
    operator,
    standing: async () => ({
      channels: new Map([[channelId, { ...channel, ...change }]]),
      earlier: [booked],
    }),
  });
  return { payers, seen };
}

const question = (cumulative: bigint, key = `k${cumulative}`, amount?: bigint, signature: Hex = "0xab") => ({
  payment: { key, channelId, network: "eip155:31337", maxClaimableAmount: cumulative, signature },
  amount,
  terms,
});

test.each([
  ["promises no more than is promised", "VOUCHER_STALE", question(50n), {}],
  ["is booked under another key", "VOUCHER_REPLAYED", question(100n), {}],
  ["has the key of another", "IDEMPOTENCY_CONFLICT", question(200n, "booked"), {}],
  [
    "has the key of a booked one, and another signature",
    "IDEMPOTENCY_CONFLICT",
    question(100n, "booked"),
    {},
  ],
  ["promises more than the deposit", "VOUCHER_OVER_DEPOSIT", question(1_001n), {}],
  ["says that it adds more than it can", "AMOUNT_INVALID", question(200n, "k", 101n), {}],
  ["is of a channel that its payer is leaving", "CHANNEL_CLOSING", question(200n), { withdrawableAt: 5 }],
])("the code is not asked about a voucher that %s", async (_, code, asked, change) => {
  const { payers, seen } = open(change);
  expect(await payers.check([asked], { count: 0 })).toMatchObject([{ code }]);
  expect(seen.asked).toBe(0);
});

test("nor about one that is booked", async () => {
  const { payers, seen } = open();
  const again = question(100n, "booked", undefined, toHex(booked.signature));
  expect(await payers.check([again], { count: 0 })).toEqual([booked.signature]);
  expect(seen.asked).toBe(0);
});

test("of one request it is asked about sixteen, two at a time, with the gas of a claim", async () => {
  const { payers, seen } = open();
  const asked = { count: 0 };
  const questions = Array.from({ length: 40 }, (_, at) => question(BigInt(101 + at)));
  const answers = await withinRequest("somewhere", () => payers.check(questions, asked));
  const codes = answers.map((answer) => ("code" in answer ? answer.code : null));
  expect(codes).toEqual([...Array(16).fill("VOUCHER_FORGED"), ...Array(24).fill("VOUCHER_UNCHECKED")]);
  expect(answers.at(-1)).toMatchObject({ remedy: "retry", facts: { limit: 16, payer } });
  expect(answers[0]).toMatchObject({ facts: { gasMax: 1_000_000n } });
  expect(await payers.check([question(500n)], asked), "nor of its next part").toMatchObject([
    { code: "VOUCHER_UNCHECKED" },
  ]);
  expect(seen).toEqual({ asked: 16, gases: new Set([1_000_000n]), now: 0, atOnce: 2 });
});

test("nothing is accepted while the chain cannot be asked", async () => {
  const nobody = connectChain({ chainId: 31_337, rpcUrl: "http://127.0.0.1:1", requestTimeoutMs: 500 });
  const { payers } = open({}, { getCode: () => nobody.reader.getCode({ address: payer }) as Promise<Hex> });
  expect(await payers.check([question(200n)], { count: 0 })).toMatchObject([{ code: "CHAIN_UNAVAILABLE" }]);
});
