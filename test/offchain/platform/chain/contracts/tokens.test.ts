import { getAddress, zeroAddress } from "viem";
import { expect, test } from "vitest";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";

const [usdc, foreign] = [getAddress(`0x${"a2".repeat(20)}`), getAddress(`0x${"a3".repeat(20)}`)];
const tokens = openTokens(
  new Map([[usdc.toLowerCase(), { name: "USDC", abi: [], token: { symbol: "USDC", decimals: 6 } }]]),
  { symbol: "POL", decimals: 18 },
);

test("an amount has its own token's unit and decimals", () => {
  expect(tokens.amountOf(usdc.toLowerCase(), 1_500_000n)).toEqual({
    amount: "1.5",
    unit: "USDC",
    token: usdc,
    known: true,
  });
  expect(tokens.amountOf(zeroAddress, -2n * 10n ** 18n)).toMatchObject({
    amount: "-2",
    unit: "POL",
    known: true,
  });
});

test("a token that is not configured is counted in base units of its address, whatever it says of itself", () =>
  expect(tokens.amountOf(foreign, 1_500_000n)).toEqual({
    amount: "1500000",
    unit: `base units of ${foreign}`,
    token: foreign,
    known: false,
  }));
