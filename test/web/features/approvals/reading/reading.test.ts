import { encodeFunctionData, getAddress, type Hex, zeroAddress, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import { stakingAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import { describeCall } from "#offchain/features/treasury/proposals/words.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { readProposal, tokensOf } from "@/features/approvals/reading/reading.ts";
import { checkedWords, differenceWords } from "@/features/approvals/words.ts";
import type { Call, Proposal } from "@/lib/model.ts";
import { proposalOf } from "../../../support/proposal.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [treasury, usdc, second, staking, ada, marlow, thief, odd, shares] = [
  ...["1", "2", "3", "4", "a", "b", "c", "d", "e"].map(address),
] as [Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex];
const known: KnownContracts = new Map([
  [treasury.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [second.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [usdc.toLowerCase(), { name: "USDC", abi: testUsdcAbi, token: { symbol: "USDC", decimals: 6 } }],
  [staking.toLowerCase(), { name: "Staking", abi: stakingAbi }],
  // With functions of ERC-20, and none of the tokens that the service is configured with.
  [shares.toLowerCase(), { name: "Shares", abi: testUsdcAbi }],
]);

/** A call as the honest service tells it. */
const told = (to: Hex, data: Hex, value = 0n): Call =>
  describeCall(
    { to, value, data },
    {
      treasury,
      treasuries: new Set([treasury.toLowerCase(), second.toLowerCase()]),
      known,
      tokens: openTokens(known, { symbol: "ETH", decimals: 18 }),
      names: (asked) => ({
        own: asked.toLowerCase() === staking.toLowerCase() ? "the Staking contract" : null,
        chosen: asked.toLowerCase() === ada.toLowerCase() ? "Ada" : null,
      }),
    },
  );
const units = new Map([
  [usdc.toLowerCase(), { symbol: "USDC", decimals: 6 }],
  [odd.toLowerCase(), { symbol: "USDC", decimals: 18 }],
]);
const reading = (calls: Call[], changes: Partial<Proposal> = {}) =>
  readProposal(
    proposalOf(0, { treasury, calls, words: calls.map(({ words }) => words).join("; "), ...changes }),
    units,
    "ETH",
  );
const verb = (functionName: string, ...args: unknown[]) =>
  encodeFunctionData({ abi: treasuryAbi, functionName, args } as never);
const disburse = (to: Hex, amount: bigint, token = usdc) =>
  verb("disburse", ada, token, to, amount, zeroHash);
const transfer = (to: Hex, amount: bigint) =>
  encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [to, amount] });

const none = 2n ** 128n - 1n;
const terms = {
  perTransaction: 5_000_000n,
  approvalAbove: 1_000_000n,
  hourly: none,
  daily: 7_500_000n,
  weekly: none,
  monthly: none,
  validUntil: 1_900_000_000,
  recipientsOnly: true,
};
const unlimited = {
  ...terms,
  perTransaction: none,
  approvalAbove: none,
  daily: none,
  validUntil: 2 ** 40 - 1,
};

/** Every function that the service has a sentence for. */
const honest: [string, Call][] = [
  ...(
    [
      ["disburse", ada, usdc, marlow, 120_000_000n, zeroHash],
      ["disburse", ada, odd, treasury, 3n, zeroHash],
      ["disburse", ada, zeroAddress, marlow, 3n, zeroHash],
      ["setBudget", ada, usdc, terms],
      ["setBudget", ada, usdc, unlimited],
      ["lowerBudget", ada, odd, terms],
      ["removeBudget", ada, usdc],
      ["allowRecipients", ada, [marlow, treasury]],
      ["denyRecipients", ada, []],
      ["freeze", ada],
      ["unfreeze", ada],
      ["pause"],
      ["unpause"],
      ["addOwner", ada],
      ["removeOwner", marlow],
      ["replaceOwner", marlow, ada],
      ["setThreshold", 3n],
      ["cancelProposal", 77n],
      ["cancelSpend", 77n],
      ["setCollector", staking, zeroAddress],
      ["setCollector", staking, marlow],
      ["authorizeHash", zeroHash, 1_900_000_000n],
      ["authorizeHash", zeroHash, 2n ** 255n],
      ["revokeHash", zeroHash],
      ["pay", usdc, marlow, 3n, zeroHash],
    ] as [string, ...unknown[]][]
  ).flatMap(([name, ...args]): [string, Call][] => [
    [name, told(treasury, verb(name, ...args))],
    ...(name === "cancelSpend" || name === "pay"
      ? []
      : [[`${name} of another Treasury`, told(second, verb(name, ...args))] as [string, Call]]),
  ]),
  ["transfer", told(usdc, transfer(marlow, 1_500_000n))],
  ["transfer with coin", told(usdc, transfer(ada, 1_500_000n), 10n ** 18n)],
  ...["transferFrom", "approve"].map((functionName): [string, Call] => {
    const args = functionName === "approve" ? [marlow, 2n ** 256n - 1n] : [marlow, treasury, 5n];
    return [functionName, told(usdc, encodeFunctionData({ abi: testUsdcAbi, functionName, args } as never))];
  }),
  ["transfer of no known token", told(shares, transfer(marlow, 1_500_000n))],
  ["coin alone", told(ada, "0x", 25n * 10n ** 17n)],
];

describe("what the service says honestly", () => {
  test.each(honest)("of %s is what this page reads in the data", (_, call) =>
    expect(reading([call])).toMatchObject({ differences: [], read: [1], unread: [] }),
  );
  test("of what this page cannot read is compared by target and coin only, and that is said", () => {
    const fund = encodeFunctionData({ abi: stakingAbi, functionName: "fund", args: [7n] });
    const calls = [told(staking, fund), told(odd, transfer(ada, 1n)), told(thief, "0x12345678", 1n)];
    const found = reading([told(treasury, disburse(marlow, 1n)), ...calls]);
    expect(found).toMatchObject({ differences: [], read: [1], unread: [2, 3, 4] });
    const { checked, unchecked } = checkedWords(found);
    expect(checked.join(" ")).toContain(
      "It decoded 1 call (1) itself: function, token, amounts and recipients",
    );
    expect(unchecked[0]).toBe("What 3 calls (2, 3 and 4) would do: this page cannot read the data.");
  });
});

describe("a service that lies is found out", () => {
  const pays = told(treasury, disburse(marlow, 120_000_000n));
  const lies: [string, Call][] = [
    ["of the amount", { ...pays, data: disburse(marlow, 9_000_000_000n) }],
    ["of the recipient", { ...pays, data: disburse(thief, 120_000_000n) }],
    ["of the token", { ...pays, data: disburse(marlow, 120_000_000n, odd) }],
    ["of the agent", { ...pays, data: verb("disburse", thief, usdc, marlow, 120_000_000n, zeroHash) }],
    ["of the function", { ...told(treasury, verb("freeze", ada)), data: verb("unfreeze", ada) }],
    ["of the target", { ...pays, to: thief }],
    ["of a transfer's amount", { ...told(usdc, transfer(marlow, 1n)), data: transfer(marlow, 2n) }],
    ["of a transfer's recipient", { ...told(usdc, transfer(marlow, 1n)), data: transfer(thief, 1n) }],
    ["of a transfer's token", { ...told(usdc, transfer(marlow, 1n)), to: odd }],
    ["of the coin", { ...pays, value: "1" }],
    ["with words about data that cannot be read", { ...pays, to: thief, target: thief, data: "0x12345678" }],
    ["by silence about data that can be", { ...told(treasury, "0x12345678"), data: disburse(thief, 1n) }],
    ["in the words alone", { ...pays, words: pays.words.replace("120", "12") }],
    [
      "in an argument alone",
      {
        ...pays,
        decoded: pays.decoded && {
          ...pays.decoded,
          args: pays.decoded.args.map((one) => (one.name === "to" ? { ...one, value: thief } : one)),
        },
      },
    ],
    [
      "by leaving out an argument",
      {
        ...pays,
        decoded: pays.decoded && { ...pays.decoded, args: pays.decoded.args.slice(1) },
      },
    ],
    ["with bytes behind the arguments", { ...pays, data: `${pays.data}00` as Hex }],
    [
      "with a name that hides another address",
      {
        ...pays,
        data: disburse(thief, 120_000_000n),
        words: pays.words.replace(marlow, `"Marlow" (${marlow}) (${thief})`),
      },
    ],
  ];
  test.each(lies)("%s", (_, call) => expect(reading([call]).differences).not.toEqual([]));
  test("in the proposal's own sentence, and of its deadline", () => {
    expect(reading([pays], { words: "Pay 1 USDC" }).differences).toMatchObject([{ call: 0 }]);
    expect(reading([pays], { deadlineS: "99999999999" }).differences).toMatchObject([{ call: 0 }]);
  });
  test("and told in both sentences", () => {
    const [found] = reading([{ ...pays, data: disburse(thief, 9_000_000_000n) }]).differences;
    expect(found && differenceWords(found)).toBe(
      `Call 1: the service says “Pay 120 USDC to ${marlow} for ${ada}”; the signed data say “Pay 9000 USDC to ${thief} for ${ada}”.`,
    );
  });
});

test("the tokens whose units are asked of the chain are those of the data", () => {
  const calls = [told(treasury, disburse(marlow, 1n)), told(odd, transfer(ada, 1n)), told(ada, "0x", 1n)];
  expect(tokensOf({ calls, treasury })).toEqual([usdc.toLowerCase(), odd.toLowerCase()]);
});
