import { encodeFunctionData, type Hex, keccak256, toHex } from "viem";
import { expect, test } from "vitest";
import { testUsdcAbi, treasuryAbi } from "#contracts";
import { paymentIn } from "#offchain/features/treasury/contract.ts";

const treasury = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const usdc = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const shop = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const paid = (to: typeof usdc | typeof treasury, data: Hex, value = 0n) =>
  paymentIn({ to, value, data }, treasury);

const transfer = encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [shop, 5n] });
const disburse = encodeFunctionData({
  abi: treasuryAbi,
  functionName: "disburse",
  args: [shop, usdc, shop, 7n, keccak256(toHex("rent"))],
});

test("a transfer of a token and a payment by the Treasury are read as payments", () => {
  expect(paid(usdc, transfer)).toEqual({ token: usdc, to: shop, amount: 5n });
  expect(paid(treasury, disburse)).toEqual({ token: usdc, to: shop, amount: 7n });
  expect(paid(usdc, encodeFunctionData({ abi: testUsdcAbi, functionName: "totalSupply" }))).toBeNull();
});

test.each<[string, Hex, bigint?]>([
  // increaseAllowance: a function of the real USDC that the known ABI does not have.
  ["an unknown selector", `0x39509351${transfer.slice(10)}`],
  ["truncated calldata", transfer.slice(0, 40) as Hex],
  ["a truncated payment", disburse.slice(0, 40) as Hex],
  ["half a selector", "0x1234"],
  ["empty calldata with value", "0x", 1n],
])("%s is no payment that can be read, and no failure", (_, data, value) => {
  for (const to of [usdc, treasury] as const) expect(paid(to, data, value)).toBeNull();
});
