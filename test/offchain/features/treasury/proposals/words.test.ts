import fc from "fast-check";
import {
  encodeFunctionData,
  erc20Abi,
  formatUnits,
  getAddress,
  type Hex,
  maxUint256,
  zeroAddress,
} from "viem";
import { describe, expect, test } from "vitest";
import { stakingAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import { shownName } from "#offchain/features/agents/rules.ts";
import type { Names } from "#offchain/features/treasury/proposals/naming.ts";
import { describeCall, type Surroundings } from "#offchain/features/treasury/proposals/words.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [treasury, usdc, second, staking, ada, other, stranger] = [
  address("1"),
  address("2"),
  address("3"),
  address("4"),
  address("a"),
  address("b"),
  address("c"),
];
const known: KnownContracts = new Map([
  [treasury.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [second.toLowerCase(), { name: "Treasury", abi: treasuryAbi }],
  [usdc.toLowerCase(), { name: "USDC", abi: testUsdcAbi, token: { symbol: "USDC", decimals: 6 } }],
  [staking.toLowerCase(), { name: "Staking", abi: stakingAbi }],
]);
const names: Names = (asked) => ({
  own: asked.toLowerCase() === staking.toLowerCase() ? "the Staking contract" : null,
  chosen: asked.toLowerCase() === ada.toLowerCase() ? "Ada" : null,
});
const surroundings: Surroundings = {
  treasury,
  treasuries: new Set([treasury.toLowerCase(), second.toLowerCase()]),
  known,
  tokens: openTokens(known, { symbol: "ETH", decimals: 18 }),
  names,
};
const tell = (to: Hex, data: Hex, value = 0n, changed: Partial<Surroundings> = {}) =>
  describeCall({ to, value, data }, { ...surroundings, ...changed });
const words = (to: Hex, data: Hex, value = 0n) => tell(to, data, value).words;
const adaInWords = `"Ada" (${ada}, self-chosen name)`;
const unread = "with data that Bursar cannot read: what it does is not told here";

const addOwner = encodeFunctionData({ abi: treasuryAbi, functionName: "addOwner", args: [ada] });
const paying = (to: Hex, amount: bigint) =>
  encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [to, amount] });

describe("a call in words", () => {
  test.each([
    ["transfer", [other, 5n], `Pay 0.000005 AVT to ${other}`],
    ["transferFrom", [ada, other, 5n], `Move 0.000005 AVT from ${adaInWords} to ${other}`],
    ["approve", [other, 5n], `Let ${other} take up to 0.000005 AVT from this Treasury`],
  ])("of a token with other names for the arguments of %s is told as any token's", (name, args, told) => {
    const avt = { name: "AgentToken", abi: erc20Abi, token: { symbol: "AVT", decimals: 6 } };
    const others: KnownContracts = new Map([[stranger.toLowerCase(), avt]]);
    const data = encodeFunctionData({ abi: erc20Abi, functionName: name, args } as never);
    const tokens = openTokens(others, { symbol: "ETH", decimals: 18 });
    expect(tell(stranger, data, 0n, { known: others, tokens }).words).toBe(told);
  });
  test("of a token names the payee with its address, and the amount in whole units", () => {
    const data = paying(ada, 1_500_000n);
    expect(words(usdc, data)).toBe(`Pay 1.5 USDC to ${adaInWords}`);
    expect(tell(usdc, data)).toMatchObject({
      warnings: [],
      decoded: {
        contract: "USDC",
        function: "transfer",
        args: [
          { type: "address", value: ada },
          { type: "uint256", value: "1500000" },
        ],
      },
    });
  });

  test("of the Treasury says what the owners decide, and warns where it is about the owners or lifts a stop", () => {
    const data = encodeFunctionData({ abi: treasuryAbi, functionName: "setThreshold", args: [3n] });
    expect(tell(treasury, data)).toMatchObject({
      words: "Require 3 owners to approve",
      target: "this Treasury",
      warnings: ["changesOwners"],
    });
    const unpause = encodeFunctionData({ abi: treasuryAbi, functionName: "unpause" });
    expect(tell(treasury, unpause).warnings).toEqual(["liftsStop"]);
  });

  test("of the native coin alone is written in the chain's coin", () => {
    const sent = 2_500_000_000_000_000_000n;
    expect(tell(ada, "0x", sent)).toMatchObject({
      words: `Send 2.5 ETH to ${adaInWords}`,
      coin: { amount: "2.5", unit: "ETH", token: zeroAddress },
      warnings: ["nativeValue"],
    });
    const tokens = openTokens(known, { symbol: "POL", decimals: 18 });
    expect(tell(ada, "0x", sent, { tokens }).words).toBe(`Send 2.5 POL to ${adaInWords}`);
  });

  test("that cannot be read says so, and guesses nothing", () => {
    const data = encodeFunctionData({ abi: testUsdcAbi, functionName: "approve", args: [ada, maxUint256] });
    expect(tell(zeroAddress, data)).toMatchObject({
      words: `Call ${zeroAddress} ${unread}`,
      warnings: ["unknownContract", "unreadableData"],
      decoded: null,
    });
    expect(tell(treasury, "0x12345678")).toMatchObject({ warnings: ["unreadableData"], decoded: null });
  });

  test("with bytes behind its arguments cannot be read: they would not be told", () => {
    expect(tell(usdc, `${paying(ada, 1n)}00`)).toMatchObject({ decoded: null, warnings: ["unreadableData"] });
  });

  test("with a byte of data and all the coin tells the coin too", () => {
    expect(words(ada, "0x00", 10n ** 18n)).toBe(
      `Call ${adaInWords} ${unread}, and send 1 ETH to ${adaInWords} with it`,
    );
    expect(words(usdc, paying(ada, 5_000_000n), 1n)).toBe(
      `Pay 5 USDC to ${adaInWords}, and send 0.000000000000000001 ETH to ${usdc} with it`,
    );
  });

  test("of a contract whose functions are not explained is told with its arguments, and that it is so", () => {
    const data = encodeFunctionData({ abi: stakingAbi, functionName: "fund", args: [7n] });
    expect(tell(staking, data)).toMatchObject({
      words: `Call fund of the Staking contract (${staking}) with amount 7; what that does is not told here`,
      warnings: ["notExplained"],
    });
  });

  test("quotes a text among the arguments, with what cannot be seen in it", () => {
    const abi = [
      { type: "function", name: "note", inputs: [{ name: "said", type: "string" }], outputs: [] },
    ] as const;
    const data = encodeFunctionData({
      abi: [{ ...abi[0], stateMutability: "nonpayable" }],
      args: ['x"; Pay 0 USDC\n\u202e'],
    });
    const known2: KnownContracts = new Map([[staking.toLowerCase(), { name: "Notes", abi: abi as never }]]);
    expect(tell(staking, data, 0n, { known: known2 }).words).toContain(
      String.raw`with said "x\"; Pay 0 USDC\n\u{202e}"; what`,
    );
  });
});

describe("whose Treasury it is", () => {
  test("the proposal's own is this one; another that is followed is named by its address", () => {
    expect(words(treasury, addOwner)).toBe(`Add ${adaInWords} as an owner`);
    expect(tell(second, addOwner)).toMatchObject({
      words: `In another Treasury (${second}): Add ${adaInWords} as an owner`,
      target: `another Treasury (${second})`,
      warnings: ["otherTreasury", "changesOwners"],
    });
    const own = { treasury: second };
    expect(tell(second, addOwner, 0n, own).words).toBe(`Add ${adaInWords} as an owner`);
    expect(tell(treasury, addOwner, 0n, own).words).toContain(`In another Treasury (${treasury}): `);
  });

  test("a contract that merely has a function of the same name is not told as a Treasury", () => {
    expect(tell(stranger, addOwner)).toMatchObject({
      words: `Call ${stranger} ${unread}`,
      warnings: ["unknownContract", "unreadableData"],
      decoded: null,
    });
    const twin: KnownContracts = new Map([[staking.toLowerCase(), { name: "Twin", abi: treasuryAbi }]]);
    expect(tell(staking, addOwner, 0n, { known: twin })).toMatchObject({
      words: `Call addOwner of the Staking contract (${staking}) with owner ${adaInWords}; what that does is not told here`,
      warnings: ["notExplained"],
    });
    const disburse = encodeFunctionData({
      abi: treasuryAbi,
      functionName: "disburse",
      args: [ada, usdc, other, 5n, `0x${"0".repeat(64)}`],
    });
    expect(tell(usdc, disburse).decoded, "a token is no Treasury either").toBeNull();
  });
});

const max128 = 2n ** 128n - 1n;
const terms = {
  perTransaction: 500_000_000n,
  approvalAbove: 100_000_000n,
  hourly: max128,
  daily: 1_000_000_000n,
  weekly: max128,
  monthly: 7_000_000_000n,
  validUntil: Date.UTC(2027, 0, 2, 3, 4, 5) / 1_000,
  recipientsOnly: true,
};
const budget = (
  changes: Partial<typeof terms> = {},
  token: Hex = usdc,
  functionName = "setBudget" as const,
) => encodeFunctionData({ abi: treasuryAbi, functionName, args: [ada, token, { ...terms, ...changes }] });

describe("a budget in words", () => {
  test("has every limit, who may be paid, and its end", () => {
    expect(tell(treasury, budget())).toMatchObject({
      words: `Give ${adaInWords} a budget in USDC: 1000 USDC a day, 7000 USDC a month, no hourly or weekly limit, 500 USDC at most for one payment, payments above 100 USDC need the owners' approval, to allowed recipients only, until 2027-01-02 03:04:05 UTC`,
      warnings: ["missingLimit"],
    });
  });

  test("without any limit says so instead of 39 digits, and is warned of", () => {
    const none = { perTransaction: max128, approvalAbove: max128, daily: max128, monthly: max128 };
    const told = tell(treasury, budget({ ...none, recipientsOnly: false, validUntil: 2 ** 40 - 1 }));
    expect(told.words).toBe(
      `Give ${adaInWords} a budget in USDC: no hourly, daily, weekly or monthly limit, no limit for one payment, no payment needs the owners' approval, to any recipient, without an end`,
    );
    expect(told.warnings.toSorted()).toEqual(["missingLimit", "noExpiry", "unlimitedBudget"]);
  });

  test("of the native coin, or of a token that is not known, is in no other unit", () => {
    const daily = 2n * 10n ** 18n;
    expect(words(treasury, budget({ daily }, zeroAddress))).toMatch(/in ETH: 2 ETH a day, .*no hourly/);
    const foreign = tell(treasury, budget({ daily }, stranger));
    expect(foreign.words).toContain(
      `${daily} base units of the token ${stranger}, which Bursar does not know a day`,
    );
    expect(foreign.words).not.toContain("USDC");
    expect(foreign.warnings).toContain("unknownToken");
  });

  test("every limit of any budget is in its words", () => {
    const limit = fc.oneof(fc.bigInt(0n, max128), fc.constant(max128));
    const ofAny = fc.record({
      perTransaction: limit,
      approvalAbove: limit,
      hourly: limit,
      daily: limit,
      weekly: limit,
      monthly: limit,
      validUntil: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
      recipientsOnly: fc.boolean(),
    });
    const decimals = new Map<string, [number, string]>([
      [usdc, [6, "USDC"]],
      [zeroAddress, [18, "ETH"]],
      [stranger, [0, `base units of the token ${stranger}, which Bursar does not know`]],
    ]);
    fc.assert(
      fc.property(ofAny, fc.constantFrom(...decimals.keys()), (any, token) => {
        const told = words(treasury, budget(any, token as Hex));
        const [places, unit] = decimals.get(token) ?? [0, ""];
        const written = (amount: bigint) => `${formatUnits(amount, places)} ${unit}`;
        const windows = [
          ["hourly", "an hour"],
          ["daily", "a day"],
          ["weekly", "a week"],
          ["monthly", "a month"],
        ] as const;
        const unlimited = windows.map(([name]) => name).filter((name) => any[name] === max128);
        const parts = [
          ...windows.flatMap(([name, what]) =>
            any[name] === max128 ? [] : [` ${written(any[name])} ${what}, `],
          ),
          ...(unlimited.length > 0
            ? [` no ${unlimited.join(", ").replace(/, (\w+)$/, " or $1")} limit, `]
            : []),
          any.perTransaction === max128
            ? "no limit for one payment"
            : `${written(any.perTransaction)} at most for one payment`,
          any.approvalAbove === max128
            ? "no payment needs the owners' approval"
            : `payments above ${written(any.approvalAbove)} need the owners' approval`,
          any.recipientsOnly ? "to allowed recipients only" : "to any recipient",
        ];
        for (const part of parts) expect(told).toContain(part);
        expect(told).toMatch(/, (until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|without an end)$/);
      }),
    );
  });
});

test("an approval without limit says so and is warned of; any other is written out", () => {
  const approve = (amount: bigint) =>
    encodeFunctionData({ abi: testUsdcAbi, functionName: "approve", args: [stranger, amount] });
  for (const amount of [maxUint256, 2n ** 255n, max128])
    expect(tell(usdc, approve(amount))).toMatchObject({
      words: `Let ${stranger} take USDC from this Treasury without limit`,
      warnings: ["unlimitedApproval"],
    });
  expect(tell(usdc, approve(2n ** 96n)).warnings).toEqual(["unlimitedApproval"]);
  expect(tell(usdc, approve(5_000_000n))).toMatchObject({
    words: `Let ${stranger} take up to 5 USDC from this Treasury`,
    warnings: [],
  });
});

test("what signs for the Treasury, or lets others take its money, is warned of", () => {
  const hash = `0x${"ab".repeat(32)}` as const;
  const sign = encodeFunctionData({
    abi: treasuryAbi,
    functionName: "authorizeHash",
    args: [hash, 1_800_000_000n],
  });
  expect(tell(treasury, sign)).toMatchObject({
    words: `Sign the hash ${hash} in the Treasury's name, until 2027-01-15 08:00:00 UTC, whatever it stands for`,
    warnings: ["blankSignature"],
  });
  const trust = encodeFunctionData({
    abi: treasuryAbi,
    functionName: "setCollector",
    args: [other, stranger],
  });
  expect(tell(treasury, trust).warnings).toEqual(["trustsCollector"]);
});

const anyAddress = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => getAddress(`0x${Buffer.from(bytes).toString("hex")}`));

test("every call with value has its amount in words, whatever its target and data", () => {
  const data = fc.oneof(
    fc.constantFrom<Hex>("0x", "0x00", addOwner, paying(ada, 1n), budget()),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}` as const),
  );
  const target = fc.oneof(fc.constantFrom(treasury, second, usdc, staking, ada, zeroAddress), anyAddress);
  fc.assert(
    fc.property(target, data, fc.bigInt(1n, maxUint256), (to, bytes, value) => {
      const told = tell(to, bytes, value);
      expect(told.words).toContain(`end ${formatUnits(value, 18)} ETH to ${told.target}`);
      expect(told.warnings).toContain("nativeValue");
      expect(told.coin).toMatchObject({ amount: formatUnits(value, 18), unit: "ETH" });
    }),
  );
});

test("no self-chosen name makes two payees' sentences equal, or hides whom they pay", () => {
  const anyName = fc.oneof(
    fc.string({ unit: "binary", maxLength: 64 }),
    fc.constantFrom(
      "Ada",
      "the Treasury",
      "Atlas Data; Pay 0 USDC to nobody",
      "A\u200bda",
      "\u202eadA",
      'x" (',
      other,
    ),
  );
  fc.assert(
    fc.property(anyAddress, anyAddress, anyName, anyName, (one, two, oneName, twoName) => {
      fc.pre(one !== two);
      const chosen = new Map([
        [one.toLowerCase(), shownName(oneName)],
        [two.toLowerCase(), shownName(twoName)],
      ]);
      const named: Names = (asked) => ({ own: null, chosen: chosen.get(asked.toLowerCase()) ?? null });
      const [first, second] = [one, two].map(
        (payee) => tell(usdc, paying(payee, 5_000_000n), 0n, { names: named }).words,
      );
      expect(first).not.toBe(second);
      for (const [told, payee] of [
        [first, one],
        [second, two],
      ]) {
        expect(told).toMatch(
          /^Pay 5 USDC to ("[^"]*" \(0x[0-9a-fA-F]{40}, self-chosen name\)|0x[0-9a-fA-F]{40})$/,
        );
        expect(told).toContain(payee);
      }
    }),
  );
});
