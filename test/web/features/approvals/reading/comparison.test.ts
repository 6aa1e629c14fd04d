import {
  encodeFunctionData,
  erc20Abi,
  getAddress,
  type Hex,
  numberToHex,
  parseAbi,
  zeroAddress,
  zeroHash,
} from "viem";
import { describe, expect, test } from "vitest";
import { scopesAbi, stakingAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import { labelsOf, type Name, nameless } from "#offchain/features/treasury/proposals/naming.ts";
import { describeCall } from "#offchain/features/treasury/proposals/words.ts";
import { contractsOn } from "#offchain/platform/chain/contracts/contracts.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { compareProposal, tokensOf } from "@/features/approvals/reading/comparison.ts";
import { checkedWords, differenceWords } from "@/features/approvals/signing/words.ts";
import type { Call, Proposal } from "@/lib/model.ts";
import { proposalOf } from "../../../support/proposal.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [treasury, usdc, second, staking, ada, marlow, thief, odd, shares, avt, notes] = [
  ...["1", "2", "3", "4", "a", "b", "c", "d", "e", "5", "6"].map(address),
] as [Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex, Hex];
const { scopes } = contractsOn(31_337);
const notesAbi = parseAbi([
  "function note(string text, address[] about, bool)",
  "function order((address to, string text) what, address owner)",
]);
const known: KnownContracts = new Map([
  [treasury.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [second.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [usdc.toLowerCase(), { name: "USDC", abi: testUsdcAbi, token: { symbol: "USDC", decimals: 6 } }],
  [staking.toLowerCase(), { name: "Staking", abi: stakingAbi }],
  // With functions of ERC-20, and none of the tokens that the service is configured with.
  [shares.toLowerCase(), { name: "Shares", abi: testUsdcAbi }],
  // Its arguments have other names than those of USDC.
  [avt.toLowerCase(), { name: "AgentToken", abi: erc20Abi, token: { symbol: "AVT", decimals: 18 } }],
  [notes.toLowerCase(), { name: "Notes", abi: notesAbi }],
  [scopes.toLowerCase(), { name: "Scopes", abi: scopesAbi }],
]);

const usual = (asked: string): Name => ({
  own: asked.toLowerCase() === staking.toLowerCase() ? "the Staking contract" : null,
  chosen: asked.toLowerCase() === ada.toLowerCase() ? "Ada" : null,
});

/** A call as the honest service tells it. */
const told = (to: Hex, data: Hex, value = 0n, names = usual): Call =>
  describeCall(
    { to, value, data },
    {
      treasury,
      treasuries: new Set([treasury.toLowerCase(), second.toLowerCase()]),
      known,
      tokens: openTokens(known, { symbol: "ETH", decimals: 18 }),
      names,
    },
  );
const units = new Map([
  [usdc.toLowerCase(), { symbol: "USDC", decimals: 6 }],
  [odd.toLowerCase(), { symbol: "USDC", decimals: 18 }],
  [avt.toLowerCase(), { symbol: "AVT", decimals: 18 }],
]);
const reading = (calls: Call[], changes: Partial<Proposal> = {}) =>
  compareProposal(
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

const wordOf = (value: Hex | bigint) => numberToHex(BigInt(value), { size: 32 });
const rules = [
  { path: "0x01", test: 0, values: [wordOf(marlow), wordOf(ada), wordOf(7n)] },
  { path: "0x0002", test: 1, values: [wordOf(5_000_000n)] },
  { path: "0x00", test: 2, values: [] },
  { path: "0x03", test: 0, values: [wordOf(2n ** 255n)] },
];

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
      ["setDelay", ada, usdc, 3_600n],
      ["setDelay", ada, usdc, 86_400n],
      ["setDelay", ada, odd, 0n],
      ["setGroup", ada, marlow],
      ["setGroup", ada, zeroAddress],
      ["migrate", second, [usdc, zeroAddress, odd]],
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
  ...(
    [
      ["allowCall", ada, staking, "0x12345678", usdc, zeroAddress, []],
      ["allowCall", ada, staking, "0x12345678", usdc, marlow, []],
      ["allowCall", ada, staking, "0x12345678", zeroAddress, zeroAddress, rules],
      ["forbidCall", treasury, ada, staking, "0x12345678"],
      ["scopeOf", treasury, ada, staking, "0x12345678"],
    ] as [string, ...unknown[]][]
  ).map(([functionName, ...args]): [string, Call] => [
    functionName,
    told(scopes, encodeFunctionData({ abi: scopesAbi, functionName, args } as never)),
  ]),
  ["transfer of no known token", told(shares, transfer(marlow, 1_500_000n))],
  ["transfer of a token with other names", told(avt, transfer(marlow, 10n ** 18n))],
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
    expect(unchecked[1]).toMatch(
      /^Of such a call, the names of function and arguments are the service's word/,
    );
    expect(unchecked.join(" ")).toContain("Warnings that the data alone do not call for");
  });
  test.each([
    ["note", ['Pay "1" (0x)\u2028', [ada, treasury], true]],
    ["note", ["0x12", [], false]],
    ["order", [{ to: ada, text: 'say "yes"' }, treasury]],
  ])("of a function %s that this page does not know passes in the strict form alone", (name, args) => {
    const data = encodeFunctionData({ abi: notesAbi, functionName: name, args } as never);
    expect(reading([told(notes, data, 3n)])).toMatchObject({ differences: [], read: [], unread: [1] });
  });
  test("under every name that the service has of its own, and any that an agent may choose", () => {
    const labels = labelsOf(contractsOn(31337), thief);
    const names: Name[] = [
      ...[...labels.values()].map((own) => ({ own, chosen: null })),
      ...["Ada's 2nd agent, of Łódź & co.", "شركة آدا", "Z".repeat(64)].map((chosen) => ({
        own: null,
        chosen,
      })),
    ];
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      const named = (asked: string) => (asked.toLowerCase() === marlow.toLowerCase() ? name : nameless);
      const call = told(treasury, disburse(marlow, 1n), 0n, named);
      expect(call.words).toContain(name.own ?? name.chosen);
      expect(reading([call]).differences, call.words).toEqual([]);
    }
  });
  test("of another Treasury is read as such, and that it is one is for the reader to know", () => {
    const found = reading([told(second, verb("freeze", ada))]);
    expect(found.treasuries).toEqual([second]);
    expect(checkedWords(found).unchecked).toContain(`Whether ${second} is a Treasury: know its address.`);
  });
});

const story = `with a test of 0 USDC to ${address("f")}; never sent to`;
const decodedAs = (name: string, args: NonNullable<Call["decoded"]>["args"]) => ({
  contract: "Staking",
  function: name,
  args,
});
type Argument = NonNullable<Call["decoded"]>["args"][number];

/** With something else said of the last argument. */
const redecoded = (call: Call, change: Partial<Argument>): Call => ({
  ...call,
  decoded: call.decoded && {
    ...call.decoded,
    args: call.decoded.args.map((one, at, { length }) => (at === length - 1 ? { ...one, ...change } : one)),
  },
});

/** A call of ERC-20 in the plain sentence, with other names for its arguments. */
function renamed(call: Call, names: readonly string[]): Call {
  const args = (call.decoded?.args ?? []).map((one, at) => ({ ...one, name: names[at] ?? one.name }));
  return plainly({ ...call, decoded: call.decoded && { ...call.decoded, args } });
}

/** A call of a contract that the page does not know, with something else said of its function and only argument. */
const unreadAs = (call: Call, name: string, change: Partial<Argument> = {}): Call => {
  const changed = redecoded(call, change);
  return plainly({ ...changed, decoded: changed.decoded && { ...changed.decoded, function: name } });
};

const plainly = (call: Call): Call => {
  const given = call.decoded?.args.map(({ name, value }) => `${name} ${value}`).join(", ");
  return {
    ...call,
    words: `Call ${call.decoded?.function} of ${call.target} with ${given}; what that does is not told here`,
    warnings: ["notExplained"],
  };
};

const without = (call: Call, code: Call["warnings"][number]): Call => {
  expect(call.warnings).toContain(code);
  return { ...call, warnings: call.warnings.filter((one) => one !== code) };
};

const unsaid = (call: Call): Call => ({ ...call, words: call.words.replace(", self-chosen name", "") });

describe("a service that lies is found out", () => {
  const moves = told(shares, transfer(marlow, 1_500_000n));
  const pulls = told(
    shares,
    encodeFunctionData({ abi: erc20Abi, functionName: "transferFrom", args: [marlow, ada, 5n] }),
  );
  const approves = told(
    usdc,
    encodeFunctionData({ abi: erc20Abi, functionName: "approve", args: [ada, 2n ** 96n] }),
  );
  const fund = told(staking, encodeFunctionData({ abi: stakingAbi, functionName: "fund", args: [7n] }));
  const blank = told(thief, "0x12345678");
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
    ["in the names of a token's arguments", renamed(moves, [story, "recipient"])],
    ["by names of arguments that change places", renamed(pulls, ["to", "from", "value"])],
    ["in the type of an argument", redecoded(pays, { type: "address, which is never paid" })],
    ["in the type of a token's argument", redecoded(moves, { type: "bool" })],
    ["in the name of a Treasury's argument", redecoded(pays, { name: story })],
    [
      "in the contract's name",
      { ...pays, decoded: pays.decoded && { ...pays.decoded, contract: "Sandbox" } },
    ],
    ["in a token's name", { ...moves, decoded: moves.decoded && { ...moves.decoded, contract: story } }],
    ["with a story for a name", { ...pays, words: pays.words.replace(`"Ada"`, `"${story}: 1"`) }],
    [
      "with a name longer than any",
      { ...pays, words: pays.words.replace(`"Ada"`, `"${"Ada ".repeat(20).trim()}"`) },
    ],
    ["with a chosen name that is not said to be one", unsaid(pays)],
    [
      "with a contract's name that none has",
      { ...pays, words: pays.words.replace(marlow, `the NothingIsSentThisIsATest contract (${marlow})`) },
    ],
    ["by a story behind words that tell nothing", { ...blank, decoded: decodedAs(story, []) }],
    ["about data of another function", { ...fund, data: "0x12345678" }],
    ["in a function's name that this page cannot know", unreadAs(fund, `${story} fund`)],
    ["in the name of such an argument", unreadAs(fund, "fund", { name: story })],
    ["in the value of such an argument", unreadAs(fund, "fund", { value: "8" })],
    ["in the type of such an argument", unreadAs(fund, "fund", { type: "uint256 of a test" })],
    ["by leaving out that coin is sent", without(told(ada, "0x", 1n), "nativeValue")],
    ["by leaving out that owners change", without(told(treasury, verb("addOwner", ada)), "changesOwners")],
    ["by leaving out that a stop is lifted", without(told(treasury, verb("unpause")), "liftsStop")],
    ["by leaving out that it is another Treasury", without(told(second, verb("pause")), "otherTreasury")],
    ["by leaving out that data cannot be read", without(blank, "unreadableData")],
    ["by leaving out that a function is not explained", without(fund, "notExplained")],
    ["by leaving out that an approval has no limit", without(approves, "unlimitedApproval")],
    [
      "by leaving out that a token is not known",
      without(told(treasury, disburse(ada, 1n, odd)), "unknownToken"),
    ],
    ...(["unlimitedBudget", "noExpiry", "missingLimit"] as const).map((code): [string, Call] => [
      `by leaving out ${code}`,
      without(told(treasury, verb("setBudget", ada, usdc, unlimited)), code),
    ]),
    [
      "by leaving out that a collector is trusted",
      without(told(treasury, verb("setCollector", staking, marlow)), "trustsCollector"),
    ],
    [
      "by leaving out that a signature is blank",
      without(told(treasury, verb("authorizeHash", zeroHash, 1n)), "blankSignature"),
    ],
  ];
  test.each(lies)("%s", (_, call) => expect(reading([call]).differences).not.toEqual([]));
  test("in the proposal's own sentence, and of its deadline", () => {
    expect(reading([pays], { words: "Pay 1 USDC" }).differences).toMatchObject([{ call: 0 }]);
    expect(reading([pays], { deadlineS: "99999999999" }).differences).toMatchObject([{ call: 0 }]);
  });
  test("and a warning that it leaves out is told", () => {
    const [found] = reading([without(told(treasury, verb("addOwner", ada)), "changesOwners")]).differences;
    expect(found && differenceWords(found)).toBe(
      "Call 1: the service leaves out a warning that the signed data call for: “It changes who owns the Treasury, or how many owners decide.”",
    );
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
