import { encodeFunctionData, getAddress, type Hex, numberToHex, zeroAddress } from "viem";
import { describe, expect, test } from "vitest";
import { scopesAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import { describeCall } from "#offchain/features/treasury/proposals/words.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [treasury, usdc, staking, scopes] = [address("1"), address("2"), address("4"), address("5")];
const [ada, other] = [address("a"), address("b")];
const known: KnownContracts = new Map([
  [treasury.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [usdc.toLowerCase(), { name: "USDC", abi: testUsdcAbi, token: { symbol: "USDC", decimals: 6 } }],
  [scopes.toLowerCase(), { name: "Scopes", abi: scopesAbi }],
]);
const tell = (to: Hex, data: Hex) =>
  describeCall(
    { to, value: 0n, data },
    {
      treasury,
      treasuries: new Set([treasury.toLowerCase()]),
      known,
      tokens: openTokens(known, { symbol: "ETH", decimals: 18 }),
      names: (asked) => ({
        own: asked.toLowerCase() === staking.toLowerCase() ? "the Staking contract" : null,
        chosen: asked.toLowerCase() === ada.toLowerCase() ? "Ada" : null,
      }),
    },
  );
const adaInWords = `"Ada" (${ada}, self-chosen name)`;

describe("a call that lets agents do more, in words", () => {
  test("of what agents may call names the function, what it may take, and each argument", () => {
    const wordOf = (value: Hex | bigint) => numberToHex(BigInt(value), { size: 32 });
    const rules = [
      { path: "0x00", test: 0, values: [wordOf(ada)] },
      { path: "0x0102", test: 1, values: [wordOf(5n)] },
      { path: "0x02", test: 2, values: [] },
    ] as const;
    const allowed = (puller: Hex) => {
      const args = [other, staking, "0x12345678", usdc, puller, rules] as const;
      return tell(scopes, encodeFunctionData({ abi: scopesAbi, functionName: "allowCall", args }));
    };
    const call = `Let ${other} call the function 0x12345678 of the Staking contract (${staking})`;
    const where = `where argument 1 is ${adaInWords} and argument 2.3 is at most 5 and argument 3 is this Treasury's address`;
    for (const puller of [zeroAddress, staking])
      expect(allowed(puller)).toMatchObject({
        words: `${call}, which may take USDC within its budget, ${where}`,
        warnings: ["allowsCalls"],
      });
    expect(allowed(ada).words).toBe(
      `${call}, for which ${adaInWords} may take USDC within its budget, ${where}`,
    );
    const forbidden = encodeFunctionData({
      abi: scopesAbi,
      functionName: "forbidCall",
      args: [treasury, other, staking, "0x12345678"],
    });
    expect(tell(scopes, forbidden).words).toBe(
      `Let ${other} no longer call the function 0x12345678 of the Staking contract (${staking}) for this Treasury`,
    );
  });

  test("of what agents may do without the owners says how long they have, and warns", () => {
    const verb = (functionName: string, ...args: unknown[]) =>
      tell(treasury, encodeFunctionData({ abi: treasuryAbi, functionName, args } as never));
    const payments = `payments of ${adaInWords} in USDC above its approval line`;
    expect(verb("setDelay", ada, usdc, 86_400n)).toMatchObject({
      words: `Let ${payments} be made 24 hours after it asked for them without the owners' approval, unless one of them rejects them`,
      warnings: ["paysUnapproved"],
    });
    expect(verb("setDelay", ada, usdc, 0n)).toMatchObject({
      words: `Let ${payments} wait for the owners' approval`,
      warnings: [],
    });
    expect(verb("setGroup", ada, other).words).toBe(
      `Let what ${adaInWords} spends count for the budgets of ${other} too`,
    );
    expect(verb("migrate", other, [usdc, zeroAddress])).toMatchObject({
      words: `Move all that this Treasury holds of ${usdc} and the chain's coin to the Treasury ${other}, and let no agent spend anything any more`,
      warnings: ["movesEverything"],
    });
  });
});
