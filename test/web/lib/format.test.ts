import { describe, expect, test } from "vitest";
import {
  amountText,
  co2Text,
  difference,
  energyText,
  integerText,
  listWords,
  plural,
  scaled,
  share,
  shortHex,
  writeAmount,
} from "@/lib/format.ts";

describe("amounts", () => {
  test("money is written with two decimals at least", () => {
    expect(amountText("1204.5", "USDC")).toBe("1,204.50");
    expect(amountText("7", "USDC")).toBe("7.00");
  });
  test("a limit that is none is no number, and no bar is drawn of it", () => {
    expect(amountText("unlimited", "USDC")).toBe("unlimited");
    expect([share("0", "unlimited"), share("unlimited", "1")]).toEqual([0, 0]);
    expect(difference("unlimited", "unlimited")).toBe("0");
  });
  test("small amounts keep every digit", () => expect(amountText("0.0001", "USDC")).toBe("0.0001"));
  test("what is left off is marked, never dropped silently", () =>
    expect(amountText("9999.991234567891", "ETH", 4)).toBe("9,999.9912…"));
  test("zeros beyond the limit are no cut", () =>
    expect(writeAmount("1.5000000000", "ETH", 4).isCut).toBe(false));
  test("an amount below what is shown still shows that it is not zero", () =>
    expect(amountText("0.0000001", "ETH", 4)).toBe("0…"));
  test("units without cents get none", () => expect(amountText("656", "ATP")).toBe("656"));
  test("a change carries its sign", () => {
    expect(amountText("120", "USDC", 6, true)).toBe("+120.00");
    expect(amountText("-120", "USDC", 6, true)).toBe("−120.00");
    expect(amountText("0", "USDC", 6, true)).toBe("0.00");
  });
  test("amounts beyond 2^53 stay exact", () =>
    expect(amountText("90071992547409931234.000001", "USDC")).toBe("90,071,992,547,409,931,234.000001"));
});

describe("exact arithmetic on decimal strings", () => {
  test("difference of different scales", () => {
    expect(difference("48090.5", "48210.500001")).toBe("-120.000001");
    expect(difference("145", "25")).toBe("120");
    expect(difference("0.1", "0.3")).toBe("-0.2");
  });
  test("scaled integers", () => {
    expect(scaled("48211930", 6)).toBe("48.21193");
    expect(scaled(-5n, 3)).toBe("-0.005");
    expect(scaled("12", 0)).toBe("12");
  });
  test("share is bounded and safe for an empty whole", () => {
    expect(share("213.0412", "300")).toBeCloseTo(0.7101, 4);
    expect(share("301", "300")).toBe(1);
    expect(share("1", "0")).toBe(0);
    expect(share("-1", "10")).toBe(0);
  });
});

describe("quantities in the unit that reads best", () => {
  test.each([
    ["999", "999", "µg CO₂e"],
    ["2001", "2.001", "mg CO₂e"],
    ["48211930", "48.21193", "g CO₂e"],
    ["1234567890123", "1,234.567890…", "kg CO₂e"],
  ])("%s µg is %s %s", (micrograms, value, unit) => {
    expect(co2Text(micrograms)).toEqual({ value: value.replace("0…", "…"), unit });
  });
  test("energy", () => expect(energyText("8603")).toEqual({ value: "8.603", unit: "J" }));
});

describe("words", () => {
  test("integers are grouped", () => expect(integerText("2431402211")).toBe("2,431,402,211"));
  test("both ends of a hash are shown", () =>
    expect(shortHex("0x70997970C51812dc3A010C7d01b50e0d17dc79C8")).toBe("0x7099…79C8"));
  test("a short id is shown whole", () => expect(shortHex("0x1234")).toBe("0x1234"));
  test("one and many", () => {
    expect(plural(1, "proposal")).toBe("1 proposal");
    expect(plural(1200, "proposal")).toBe("1,200 proposals");
  });
  test("lists of names", () => {
    expect(listWords([])).toBe("");
    expect(listWords(["A"])).toBe("A");
    expect(listWords(["A", "B", "C"])).toBe("A, B and C");
    expect(listWords(["A", "B"], "or")).toBe("A or B");
  });
});
