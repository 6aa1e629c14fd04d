import { type Hex, hashTypedData, keccak256, recoverTypedDataAddress, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { describe, expect, test } from "vitest";
import { creditSigner } from "#offchain/features/clearing/creditSigner.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";

const chainId = 31_337;
const clearing = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
const usdc = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const payee = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const privateKey = keccak256(toHex("credit signer test"));
const operator = privateKeyToAccount(privateKey);

const sign = creditSigner({
  chainId,
  key: { address: operator.address, privateKey },
  addresses: { clearing, usdc },
});

interface Place {
  chainId: number;
  clearing: Hex;
  usdc: Hex;
}

/** The message as contracts/interfaces/IClearing.sol describes it, written down again for viem. */
const message = (credit: { cumulative: bigint; root: number }, on: Place = { chainId, clearing, usdc }) =>
  ({
    domain: { name: "Clearing", version: "1", chainId: on.chainId, verifyingContract: on.clearing },
    types: {
      CreditReceipt: [
        { name: "token", type: "address" },
        { name: "payee", type: "address" },
        { name: "cumulative", type: "uint128" },
        { name: "epoch", type: "uint64" },
      ],
    },
    primaryType: "CreditReceipt",
    message: { token: on.usdc, payee, cumulative: credit.cumulative, epoch: BigInt(credit.root) },
  }) as const;

describe("the operator's word for a credit", () => {
  test.each([
    { cumulative: 0n, root: 0 },
    { cumulative: 1n, root: 1 },
    { cumulative: 2n ** 128n - 1n, root: Number.MAX_SAFE_INTEGER },
  ])("is its EIP-712 signature, as wallets make it: $cumulative under root $root", async (credit) => {
    const signature = await sign({ payee, ...credit });
    expect(signature).toBe(await operator.signTypedData(message(credit)));
    expect(await recoverTypedDataAddress({ ...message(credit), signature })).toBe(operator.address);
  });

  test("is the same for the payee's address in lower case, as the tables keep it", async () => {
    const lower = payee.toLowerCase() as `0x${string}`;
    const credit = { cumulative: 5n, root: 2 };
    expect(await sign({ payee: lower, ...credit })).toBe(await sign({ payee, ...credit }));
  });

  test("cannot be passed off as one for more, for another root, payee, token, contract or chain", async () => {
    const credit = { cumulative: 1_000n, root: 7 };
    const signature = await sign({ payee, ...credit });
    const signerOf = (typed: ReturnType<typeof message>) => recoverAddress(hashTypedData(typed), signature);
    expect(signerOf(message(credit))).toBe(operator.address);
    const honest = message(credit);
    const others = [
      message({ ...credit, cumulative: 1_001n }),
      message({ ...credit, root: 8 }),
      message(credit, { chainId: 1, clearing, usdc }),
      message(credit, { chainId, clearing: usdc, usdc }),
      message(credit, { chainId, clearing, usdc: clearing }),
      { ...honest, message: { ...honest.message, payee: clearing } } as never,
    ];
    for (const other of others) expect(signerOf(other)).not.toBe(operator.address);
  });

  test("does not change when credits are signed one after the other: the hasher's buffer is its own", async () => {
    const credits = [1n, 2n ** 100n, 3n].map((cumulative) => ({ payee, cumulative, root: 3 }) as const);
    const together = await Promise.all(credits.map(sign));
    for (const [at, credit] of credits.entries())
      expect(together[at]).toBe(await operator.signTypedData(message(credit)));
  });
});
