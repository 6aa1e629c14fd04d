import { type Hex, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, describe, expect, test } from "vitest";
import { MistakenVouchers } from "#offchain/features/payments/intake/mistaken.ts";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import type { PaymentRequest } from "#offchain/features/payments/service.ts";
import { startRecovery } from "#offchain/platform/chain/signatures/recovery.ts";
import { batchSettlementAddress, signVoucher } from "#offchain/sdk/paying/channel.ts";

const account = (name: string) => privateKeyToAccount(keccak256(toHex(name)));
const [payer, thief] = [account("payer"), account("thief")];
const id = (at: number): Hex => `0x${at.toString(16).padStart(64, "0")}`;
const here = 31_337;

const recovery = startRecovery(1);
afterAll(() => recovery.close());

const mistaken = (chainId = here) =>
  new MistakenVouchers(
    chainId,
    batchSettlementAddress,
    voucherHasher(chainId, batchSettlementAddress),
    recovery,
  );

/** A voucher for channel 1 here, as it was really signed: for another chain, channel or amount. */
async function sent(
  signedFor: { chainId?: number; channel?: Hex; amount?: bigint },
  signer = payer,
): Promise<PaymentRequest> {
  const { chainId = here, channel = id(1), amount = 500n } = signedFor;
  return {
    key: "k",
    channelId: id(1),
    network: `eip155:${here}`,
    maxClaimableAmount: 500n,
    signature: await signVoucher(signer, chainId, { channelId: channel, maxClaimableAmount: amount }),
  } as PaymentRequest;
}

const nothing: Hex[] = [];

describe("a voucher that its payer signed for another chain", () => {
  test.each([1, 8453, 5042, 11_155_111, 84_532, 5_042_002, 1337, 31_338])(
    "is told apart from a forged one: chain %s",
    async (chainId) => {
      const payment = await sent({ chainId });
      expect(await mistaken().explain(payment, payer.address, nothing)).toMatchObject({
        code: "NETWORK_MISMATCH",
        facts: { got: `eip155:${chainId}`, wanted: `eip155:${here}`, channelId: id(1) },
        fields: [{ field: "signature", value: payment.signature }],
      });
    },
  );

  test("is not guessed when the chain is none that agents are commonly set to", async () => {
    expect(await mistaken().explain(await sent({ chainId: 2 }), payer.address, nothing)).toBeNull();
  });

  test("of this very chain is no mistake about chains, on whichever chain the service is", async () => {
    expect(await mistaken(8453).explain(await sent({ chainId: 8453 }), payer.address, nothing)).toBeNull();
    expect(await mistaken(8453).explain(await sent({ chainId: here }), payer.address, nothing)).toMatchObject(
      {
        code: "NETWORK_MISMATCH",
        facts: { got: `eip155:${here}`, wanted: "eip155:8453" },
      },
    );
  });
});

describe("a voucher that its payer signed for another of its channels", () => {
  test("is told with the channel that it is for", async () => {
    const payment = await sent({ channel: id(3) });
    expect(await mistaken().explain(payment, payer.address, [id(1), id(2), id(3)])).toMatchObject({
      code: "CHANNEL_MISMATCH",
      facts: { channelId: id(1), signedFor: id(3) },
      fields: [{ field: "channelId", value: id(1) }],
    });
  });

  test("costs at most sixteen further recoveries: the seventeenth channel is not tried", async () => {
    const many = (count: number) => Array.from({ length: count }, (_, at) => id(100 + at));
    const last = await sent({ channel: id(115) });
    expect(await mistaken().explain(last, payer.address, many(16))).toMatchObject({
      code: "CHANNEL_MISMATCH",
    });
    const beyond = await sent({ channel: id(116) });
    expect(await mistaken().explain(beyond, payer.address, many(17))).toBeNull();
    // The channel that was named is no other one, and takes no place among the sixteen.
    expect(await mistaken().explain(last, payer.address, [id(1), ...many(16)])).toMatchObject({
      code: "CHANNEL_MISMATCH",
    });
  });
});

describe("nothing is explained away", () => {
  test("that another signed, whatever for", async () => {
    for (const wrong of [{}, { chainId: 1 }, { channel: id(2) }])
      expect(await mistaken().explain(await sent(wrong, thief), payer.address, [id(1), id(2)])).toBeNull();
  });

  test("that was signed for another amount: chain and channel are right", async () => {
    expect(await mistaken().explain(await sent({ amount: 501n }), payer.address, [id(1)])).toBeNull();
  });

  test("that is no signature at all", async () => {
    const payment = await sent({ chainId: 1 });
    for (const signature of [
      "0x",
      `0x${"00".repeat(65)}`,
      `0x${"ff".repeat(65)}`,
      payment.signature.slice(0, -4),
    ])
      expect(
        await mistaken().explain({ ...payment, signature: signature as Hex }, payer.address, [id(2)]),
      ).toBeNull();
  });
});
