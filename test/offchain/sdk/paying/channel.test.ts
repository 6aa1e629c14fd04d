import {
  encodeAbiParameters,
  keccak256,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  toHex,
  verifyTypedData,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, it } from "vitest";
import { voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import {
  batchSettlementAddress,
  type ChannelTerms,
  channelId,
  depositCollectorAddress,
  signDeposit,
  signVoucher,
  voucherIsBy,
} from "#offchain/sdk/paying/channel.ts";

const chainId = 31337;
const payer = privateKeyToAccount(keccak256(toHex("payer")));
const receiver = privateKeyToAccount(keccak256(toHex("receiver")));
const terms: ChannelTerms = {
  payer: payer.address,
  payerAuthorizer: payer.address,
  receiver: receiver.address,
  receiverAuthorizer: receiver.address,
  token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  withdrawDelay: 86_400,
  salt: keccak256(toHex("salt")),
};
const hasher = voucherHasher(chainId, batchSettlementAddress);
const id = channelId(terms, chainId);

it("gives the id that the service computes", () => {
  expect(id).toBe(hasher.channelId(terms));
});

it("gives another id for another chain or salt", () => {
  expect(
    new Set([id, channelId(terms, 1), channelId({ ...terms, salt: keccak256("0x") }, chainId)]).size,
  ).toBe(3);
});

it("signs a voucher that the service recovers", async () => {
  const maxClaimableAmount = 2n ** 128n - 1n;
  const signature = await signVoucher(payer, chainId, { channelId: id, maxClaimableAmount });
  expect(recoverAddress(toHex(hasher.voucherDigest(id, maxClaimableAmount)), signature)).toBe(payer.address);
});

it("signs an ERC-3009 deposit to the collector, bound to the channel by its nonce", async () => {
  const token = { address: terms.token, name: "USD Coin", version: "2" };
  const request = {
    channelId: id,
    amount: 5_000_000n,
    validAfter: 0n,
    validBefore: 1_900_000_000n,
    salt: 3n,
  };
  const { signature, ...sent } = await signDeposit(payer, chainId, token, request);
  expect(sent).toEqual({ amount: "5000000", validAfter: "0", validBefore: "1900000000", salt: "3" });
  const nonce = keccak256(encodeAbiParameters([{ type: "bytes32" }, { type: "uint256" }], [id, 3n]));
  const isValid = await verifyTypedData({
    address: payer.address,
    domain: { name: "USD Coin", version: "2", chainId, verifyingContract: terms.token },
    types: {
      ReceiveWithAuthorization: [
        { name: "from", type: "address" },
        { name: "to", type: "address" },
        { name: "value", type: "uint256" },
        { name: "validAfter", type: "uint256" },
        { name: "validBefore", type: "uint256" },
        { name: "nonce", type: "bytes32" },
      ],
    },
    primaryType: "ReceiveWithAuthorization",
    message: {
      from: payer.address,
      to: depositCollectorAddress,
      value: 5_000_000n,
      validAfter: 0n,
      validBefore: 1_900_000_000n,
      nonce,
    },
    signature: signature as `0x${string}`,
  });
  expect(isValid).toBe(true);
});

it("does not sign a voucher that another settlement contract would take", async () => {
  const signature = await signVoucher(payer, chainId, { channelId: id, maxClaimableAmount: 1n });
  const elsewhere = voucherHasher(chainId, terms.token);
  expect(recoverAddress(toHex(elsewhere.voucherDigest(id, 1n)), signature)).not.toBe(payer.address);
});

it("knows a voucher of its own key in both forms, and no other", async () => {
  const own = privateKeyToAccount(keccak256(toHex("own")));
  const voucher = { channelId: keccak256(toHex("channel")), maxClaimableAmount: 7n };
  const signature = await signVoucher(own, 31337, voucher);
  const compact = serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)));
  for (const form of [signature, compact]) {
    expect(await voucherIsBy(own.address, 31337, voucher, form)).toBe(true);
    expect(await voucherIsBy(own.address, 31338, voucher, form)).toBe(false);
    expect(await voucherIsBy(own.address, 31337, { ...voucher, maxClaimableAmount: 8n }, form)).toBe(false);
  }
  for (const none of [null, "", "0x", "0x1234"])
    expect(await voucherIsBy(own.address, 31337, voucher, none)).toBe(false);
});
