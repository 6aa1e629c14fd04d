import { type Hex, hashTypedData, keccak256, recoverTypedDataAddress, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { creditSigner } from "#offchain/features/clearing/creditSigner.ts";
import { recoverAddress } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { privateKeyToSigner } from "#offchain/platform/chain/signatures/signer.ts";

const chainId = 31_337;
const clearing = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";
const usdc = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const payee = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const operator = privateKeyToSigner(keccak256(toHex("credit signer test")));

const sign = creditSigner({
  chainId,
  signer: operator,
  addresses: { clearing, usdc },
});

interface Place {
  chainId: number;
  clearing: Hex;
  usdc: Hex;
}

interface Word {
  cumulative: bigint;
  epoch: number;
  office: number;
  expiresAt: number;
}

/** The message as contracts/interfaces/payments/IClearing.sol describes it, written down again for viem. */
const message = (word: Word, on: Place = { chainId, clearing, usdc }) =>
  ({
    domain: { name: "Clearing", version: "1", chainId: on.chainId, verifyingContract: on.clearing },
    types: {
      CreditReceipt: [
        { name: "token", type: "address" },
        { name: "payee", type: "address" },
        { name: "cumulative", type: "uint128" },
        { name: "epoch", type: "uint64" },
        { name: "office", type: "uint32" },
        { name: "expiresAt", type: "uint40" },
      ],
    },
    primaryType: "CreditReceipt",
    message: { token: on.usdc, payee, ...word, epoch: BigInt(word.epoch) },
  }) as const;

describe("the operator's word for a credit", () => {
  test.each([
    { cumulative: 0n, epoch: 0, office: 0, expiresAt: 0 },
    { cumulative: 1n, epoch: 1, office: 1, expiresAt: 1 },
    {
      cumulative: 2n ** 128n - 1n,
      epoch: Number.MAX_SAFE_INTEGER,
      office: 2 ** 32 - 1,
      expiresAt: 2 ** 40 - 1,
    },
  ])("is its EIP-712 signature, as wallets make it: $cumulative in epoch $epoch", async (credit) => {
    const signature = await sign({ payee, ...credit });
    expect(signature).toBe(await operator.account.signTypedData(message(credit)));
    expect(await recoverTypedDataAddress({ ...message(credit), signature })).toBe(operator.address);
  });

  test("is the same for the payee's address in lower case, as the tables keep it", async () => {
    const lower = payee.toLowerCase() as `0x${string}`;
    const credit = { cumulative: 5n, epoch: 2, office: 0, expiresAt: 9 };
    expect(await sign({ payee: lower, ...credit })).toBe(await sign({ payee, ...credit }));
  });

  test("cannot be passed off as one for more, for longer, for another epoch, office, payee, token, contract or chain", async () => {
    const credit = { cumulative: 1_000n, epoch: 7, office: 1, expiresAt: 9 };
    const signature = await sign({ payee, ...credit });
    const signerOf = (typed: ReturnType<typeof message>) => recoverAddress(hashTypedData(typed), signature);
    expect(signerOf(message(credit))).toBe(operator.address);
    const honest = message(credit);
    const others = [
      message({ ...credit, cumulative: 1_001n }),
      message({ ...credit, epoch: 8 }),
      message({ ...credit, office: 2 }),
      message({ ...credit, expiresAt: 10 }),
      message(credit, { chainId: 1, clearing, usdc }),
      message(credit, { chainId, clearing: usdc, usdc }),
      message(credit, { chainId, clearing, usdc: clearing }),
      { ...honest, message: { ...honest.message, payee: clearing } } as never,
    ];
    for (const other of others) expect(signerOf(other)).not.toBe(operator.address);
  });

  test("does not change when credits are signed one after the other: the hasher's buffer is its own", async () => {
    const credits = [1n, 2n ** 100n, 3n].map(
      (cumulative) =>
        ({
          payee,
          ...{ cumulative, epoch: 3, office: 0, expiresAt: 5 },
        }) as const,
    );
    const together = await Promise.all(credits.map(sign));
    for (const [at, credit] of credits.entries())
      expect(together[at]).toBe(await operator.account.signTypedData(message(credit)));
  });
});
