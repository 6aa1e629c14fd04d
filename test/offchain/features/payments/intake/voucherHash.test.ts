import {
  hashTypedData,
  keccak256,
  parseSignature,
  serializeCompactSignature,
  signatureToCompactSignature,
  toHex,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { compactSignature, voucherHasher } from "#offchain/features/payments/intake/voucherHash.ts";
import { parseSignature as parsedSignature } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { channelId, signVoucher } from "#offchain/sdk/paying/channel.ts";

const settlement = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
const account = privateKeyToAccount(keccak256(toHex("voucher test")));
const config = {
  payer: account.address,
  payerAuthorizer: account.address,
  receiver: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  receiverAuthorizer: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  withdrawDelay: 86_400,
  salt: keccak256(toHex("salt")),
} as const;

test("a channel's id is viem's EIP-712 digest of its config, on every chain", () => {
  for (const chainId of [1, 8453, 31337])
    expect(voucherHasher(chainId, settlement).channelId(config)).toBe(channelId(config, chainId));
});

test("a voucher's digest is viem's EIP-712 digest", () => {
  const hasher = voucherHasher(31337, settlement);
  const id = hasher.channelId(config);
  for (const maxClaimableAmount of [0n, 1n, 1_000_000n, 2n ** 128n - 1n])
    expect(toHex(hasher.voucherDigest(id, maxClaimableAmount))).toBe(
      hashTypedData({
        domain: {
          name: "x402 Batch Settlement",
          version: "1",
          chainId: 31337,
          verifyingContract: settlement,
        },
        types: {
          Voucher: [
            { name: "channelId", type: "bytes32" },
            { name: "maxClaimableAmount", type: "uint128" },
          ],
        },
        primaryType: "Voucher",
        message: { channelId: id, maxClaimableAmount },
      }),
    );
});

test("signatures are packed as viem's ERC-2098, for both parities", async () => {
  const parities = new Set<string>();
  for (let amount = 1n; amount <= 16n; amount += 1n) {
    const signature = await signVoucher(account, 31337, {
      channelId: config.salt,
      maxClaimableAmount: amount,
    });
    parities.add(signature.slice(-2));
    const compact = serializeCompactSignature(signatureToCompactSignature(parseSignature(signature)));
    for (const form of [signature, compact]) {
      const parsed = parsedSignature(form);
      expect(parsed && toHex(compactSignature(parsed))).toBe(compact);
    }
  }
  expect([...parities].toSorted()).toEqual(["1b", "1c"]);
});
