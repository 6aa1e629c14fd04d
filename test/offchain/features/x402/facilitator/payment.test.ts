import { expect, test } from "vitest";
import { readPayment } from "#offchain/features/x402/facilitator/payment.ts";

const address = (digit: string) => `0x${digit.repeat(40)}` as const;
const [usdc, other, payer, seller] = [address("1"), address("2"), address("3"), address("4")];
const terms = { chainId: 31337, usdc, payees: [] };
const bytes32 = `0x${"5".repeat(64)}`;

const channelOf = (token: string) => ({
  payer,
  payerAuthorizer: payer,
  receiver: seller,
  receiverAuthorizer: seller,
  token,
  withdrawDelay: 900,
  salt: bytes32,
});
const voucher = { channelId: bytes32, maxClaimableAmount: "5", signature: `0x${"11".repeat(64)}1b` };
const claim = (token: string) => ({
  voucher: { channel: channelOf(token), maxClaimableAmount: "5" },
  signature: "0x12",
  totalClaimed: "5",
});

function read(payload: object) {
  const requirements = {
    scheme: "batch-settlement",
    network: "eip155:31337",
    asset: usdc,
    amount: "5",
    payTo: seller,
    maxTimeoutSeconds: 60,
  };
  return readPayment(
    {
      x402Version: 2,
      paymentPayload: { x402Version: 2, accepted: requirements, payload },
      paymentRequirements: requirements,
    },
    terms,
  );
}

test.each([
  ["a voucher", (token: string) => ({ type: "voucher", channelConfig: channelOf(token), voucher })],
  [
    "a refund with claims",
    (token: string) => ({ type: "refund", channelConfig: channelOf(usdc), voucher, claims: [claim(token)] }),
  ],
  ["a claim", (token: string) => ({ type: "claim", claims: [claim(usdc), claim(token)] })],
  ["a settlement", (token: string) => ({ type: "settle", receiver: seller, token })],
])("%s of a channel in another token than USDC is refused with the reason", (_, payload) => {
  expect(read(payload(usdc))).not.toHaveProperty("reason");
  expect(read(payload(other))).toMatchObject({
    reason: "invalid_batch_settlement_evm_token_mismatch",
    explain: {
      about: "token",
      remedy: "fix",
      message: expect.stringContaining("only channels in USDC pay them"),
      facts: { token: other, supported: usdc },
    },
  });
});
