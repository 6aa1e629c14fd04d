import { encodeFunctionData, maxUint256, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { testUsdcAbi, treasuryAbi } from "#contracts";
import { describeCall } from "#offchain/features/treasury/proposals/words.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";

const address = (digit: string) => `0x${digit.repeat(40)}` as const;
const addresses = { treasury: address("1"), usdc: address("2") };
const known: KnownContracts = new Map([
  [addresses.treasury, { name: "Treasury", abi: treasuryAbi }],
  [addresses.usdc, { name: "USDC", abi: testUsdcAbi, token: { symbol: "USDC", decimals: 6 } }],
]);
const ada = address("a");
const names = (asked: string) => (asked.toLowerCase() === ada ? "Ada" : asked);
const words = (to: `0x${string}`, data: `0x${string}`, value = 0n) =>
  describeCall({ to, value, data }, known, names).words;

describe("a call in words", () => {
  test("of a token names the payee and the amount in whole units", () => {
    const data = encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [ada, 1_500_000n] });
    expect(words(addresses.usdc, data)).toBe("Pay 1.5 USDC to Ada");
    expect(describeCall({ to: addresses.usdc, value: 0n, data }, known, names).decoded).toMatchObject({
      contract: "USDC",
      function: "transfer",
      args: [
        { type: "address", value: expect.stringMatching(/^0xa+$/i) },
        { type: "uint256", value: "1500000" },
      ],
    });
  });

  test("of the Treasury says what the owners decide", () => {
    const data = encodeFunctionData({ abi: treasuryAbi, functionName: "setThreshold", args: [3n] });
    expect(words(addresses.treasury, data)).toBe("Require 3 owners to approve");
  });

  test("of the native coin alone is written in ETH", () => {
    expect(words(ada, "0x", 2_500_000_000_000_000_000n)).toBe("Send 2.5 ETH to Ada");
  });

  test("that cannot be read says so, and guesses nothing", () => {
    const data = encodeFunctionData({ abi: testUsdcAbi, functionName: "approve", args: [ada, maxUint256] });
    const unread = `Call ${zeroAddress} with data that Bursar cannot read`;
    expect(words(zeroAddress, data)).toBe(unread);
    expect(
      describeCall({ to: addresses.treasury, value: 0n, data: "0x12345678" }, known, names).decoded,
    ).toBeNull();
  });
});
