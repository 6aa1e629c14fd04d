import { describe, expect, test } from "vitest";
import {
  assertConfigured,
  ChannelTokens,
  parseChannelTokens,
  tokenOf,
} from "#offchain/features/payments/rules/tokens.ts";

const address = (digit: string) => `0x${digit.repeat(40)}` as const;
const [one, two, usdc, avt] = [address("1"), address("2"), address("3"), address("4")];
const read = (text: string) => parseChannelTokens(text, { USDC: usdc, AVT: avt });

describe("the setting", () => {
  test("is empty by default, and names unit, address and the value that closes a batch", () => {
    expect(read("")).toEqual([]);
    expect(read(` AVT=${avt}/1.00 , EURC=${one}`)).toEqual([
      { unit: "AVT", address: avt, minAmount: 10n ** 18n },
      { unit: "EURC", address: one, minAmount: null },
    ]);
  });

  test.each([
    ["AVT", "unit", "as in AVT=0x…/1.00"],
    [`1:AVT=${avt}`, "unit", "must be one of"],
    [`EUR=${one}`, "unit", "must be one of"],
    [`ATP=${one}`, "unit", "cannot be paid with"],
    [`USDC=${usdc}`, "unit", "USDC is there on every chain"],
    ["EURC=0x12", "address", "40 hexadecimal digits"],
    ["EURC=0xA5A8f9a8d0B3D7Ff4F0b5fb0d7a3b9B4F5E1C2d3", "address", "checksum"],
    [`EURC=${one}/1e3`, "least value", "plain decimal number"],
    [`EURC=${one}/0.0000001`, "least value", "has 7 decimals"],
    [`EURC=${one}/0`, "least value", "above zero"],
    [`EURC=${one}/`, "least value", "plain decimal number"],
    [`EURC=${usdc}`, "address", "is USDC on this chain"],
    [`ETH=${avt}`, "address", "is AVT on this chain"],
    [`AVT=${one}`, "address", `AVT on this chain is ${avt}`],
    [`EURC=${one},EURC=${two}`, "unit", "named twice"],
    [`EURC=${one},ETH=${one}`, "address", "is EURC already"],
  ])("%s breaks a rule of its %s", (text, field, rule) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: "VALIDATION_INVALID_INPUT",
        fields: [expect.objectContaining({ field, message: expect.stringContaining(rule) })],
      }),
    );
  });

  test("names at most sixteen tokens", () => {
    const tokens = (count: number) => Array.from({ length: count }, () => `EURC=${one}`).join(",");
    expect(() => read(tokens(16))).toThrow("named twice");
    expect(() => read(tokens(17))).toThrow("must be at most 16, not 17");
  });
});

describe("the tokens of a chain", () => {
  const tokens = new ChannelTokens({ address: usdc, minAmount: 1n }, read(`AVT=${avt}`));

  test("are USDC, and those that are configured for it", () => {
    expect(tokens.all.map(({ unit }) => unit)).toEqual(["USDC", "AVT"]);
    expect(tokens.byAddress(avt.toUpperCase().replace("0X", "0x"))?.unit).toBe("AVT");
    expect(tokens.byAddress(one)).toBeNull();
    expect(tokens.byUnit("EURC")).toBeNull();
  });

  test("are a channel's, but a cleared one is in USDC alone", () => {
    const unit = (token: string, isCleared: boolean) => tokenOf(tokens, { token, isCleared })?.unit ?? null;
    expect([unit(usdc, false), unit(usdc, true)]).toEqual(["USDC", "USDC"]);
    expect([unit(avt, false), unit(avt, true)]).toEqual(["AVT", null]);
    expect([unit(one, false), unit(one, true)]).toEqual([null, null]);
  });

  test("must have those that the books hold channels in, under the same unit", () => {
    assertConfigured(tokens, 1, [{ unit: "AVT", address: avt }]);
    for (const booked of [
      { unit: "EURC" as const, address: one },
      { unit: "ETH" as const, address: avt },
    ])
      expect(() => assertConfigured(tokens, 1, [booked])).toThrow(
        `keep ${booked.unit}=${booked.address} in BURSAR_CHANNEL_TOKENS`,
      );
  });
});
