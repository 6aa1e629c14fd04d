import fc from "fast-check";
import { hashTypedData } from "viem";
import { expect, it } from "vitest";
import { digestHasher, structHasher } from "#offchain/core/typedHash.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";

const types = {
  CreditReceipt: [
    { name: "token", type: "address" },
    { name: "payee", type: "address" },
    { name: "cumulative", type: "uint128" },
    { name: "epoch", type: "uint64" },
  ],
} as const;
const address = fc
  .bigInt({ min: 0n, max: (1n << 160n) - 1n })
  .map((value): `0x${string}` => `0x${value.toString(16).padStart(40, "0")}`);

it("hashes as viem does, whatever the members are", () => {
  const struct = structHasher("CreditReceipt(address token,address payee,uint128 cumulative,uint64 epoch)");
  fc.assert(
    fc.property(
      address,
      address,
      fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
      fc.nat(),
      fc.nat(),
      address,
      (token, payee, cumulative, epoch, chainId, verifyingContract) => {
        const domain = { name: "Clearing", version: "1", chainId, verifyingContract };
        const message = { token, payee, cumulative, epoch: BigInt(epoch) };
        expect(hexOf(digestHasher(domain)(struct(token, payee, cumulative, epoch)))).toBe(
          hashTypedData({ domain, types, primaryType: "CreditReceipt", message }),
        );
      },
    ),
    { numRuns: 200 },
  );
});

it("refuses a struct with a member too few", () => {
  expect(() => structHasher("Pair(uint256 a,uint256 b)")(1n)).toThrow(/2 members, got 1/);
});
