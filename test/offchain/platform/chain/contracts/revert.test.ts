import { encodeErrorResult, parseAbi } from "viem";
import { describe, expect, test } from "vitest";
import { RevertDecoder, revertData } from "#offchain/platform/chain/contracts/revert.ts";

const treasury = parseAbi(["error Treasury_OverLimit(uint256 got, uint256 limit, address token)"]);
const token = parseAbi([
  "error Treasury_OverLimit(uint256 got, uint256 limit, address token)",
  "error Broke()",
]);
const builtIn = parseAbi(["error Error(string message)", "error Panic(uint256 code)"]);
const address = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const decoder = new RevertDecoder({ Treasury: treasury, Token: token });

describe("a revert", () => {
  test("is named by its contract, its error and its figures", () => {
    const data = encodeErrorResult({
      abi: treasury,
      errorName: "Treasury_OverLimit",
      args: [15n, 10n, address],
    });
    expect(decoder.decode(data)).toEqual({
      contract: "Treasury",
      error: "Treasury_OverLimit",
      args: JSON.stringify({ got: "15", limit: "10", token: address }),
    });
  });

  test("of a contract that was reached through another is named too", () => {
    const data = encodeErrorResult({ abi: token, errorName: "Broke" });
    expect(decoder.decode(data)).toEqual({ contract: "Token", error: "Broke", args: "{}" });
  });

  test("with a plain message or a panic is Solidity's", () => {
    const message = encodeErrorResult({ abi: builtIn, errorName: "Error", args: ["no"] });
    expect(decoder.decode(message)).toMatchObject({
      contract: "Solidity",
      error: "Error",
      args: '{"message":"no"}',
    });
    const panic = encodeErrorResult({ abi: builtIn, errorName: "Panic", args: [0x11n] });
    expect(decoder.decode(panic)).toMatchObject({
      contract: "Solidity",
      error: "Panic",
      args: '{"code":"17"}',
    });
  });

  test("that no ABI explains keeps its data", () => {
    expect(decoder.decode("0xdeadbeef")).toEqual({ contract: "unknown", error: "0xdeadbeef", args: "{}" });
  });

  test("is found wherever the provider puts its data", () => {
    const nested = new Error("outer", {
      cause: Object.assign(new Error("inner"), { data: { data: "0xdeadbeef" } }),
    });
    expect(revertData(nested)).toBe("0xdeadbeef");
    expect(revertData(Object.assign(new Error("flat"), { data: "0x01" }))).toBe("0x01");
    expect(revertData(Object.assign(new Error("bare"), { code: 3 }))).toBe("0x");
  });

  test("is not seen in an error about something else", () => {
    expect(revertData(new Error("connection refused"))).toBeNull();
    expect(decoder.explain(new Error("connection refused"))).toBeNull();
  });
});
