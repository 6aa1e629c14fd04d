import { BaseError, encodeErrorResult, parseAbi, RpcRequestError } from "viem";
import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import {
  needsTooMuchGas,
  RevertDecoder,
  revertData,
  reverted,
  revertOf,
} from "#offchain/platform/chain/contracts/revert.ts";

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

  test("is read from the error that tells it, and from no other", () => {
    const revert = { contract: "Token", error: "Broke", args: "{}" };
    expect(revertOf(reverted(revert))).toEqual(revert);
    expect(revertOf(new BursarError("POLICY_DENIED", "no", { facts: revert }))).toBeNull();
    expect(revertOf(new Error("the call reverts"))).toBeNull();
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

describe("a call that needs more gas than it may have", () => {
  const told = (error: { code: number; message: string; data?: unknown }) =>
    new BaseError("failed", { cause: new RpcRequestError({ body: {}, url: "http://node", error }) });

  test.each([
    ["geth", "gas required exceeds allowance (16777216)"],
    ["Nethermind", "Cannot estimate gas, gas spent exceeded transaction and block gas limit"],
    ["Nethermind, later", "Gas estimation failed due to out of gas"],
    ["Reth", "out of gas: gas required exceeds: 16777216"],
    ["Anvil", "Out of gas: gas required exceeds allowance: 30000000"],
    ["Hardhat", "Transaction ran out of gas"],
    ["Hardhat, for its bytes", "Transaction requires gas floor of 40021000 but got limit of 16777216"],
    ["geth, for its bytes", "insufficient gas for floor data gas cost"],
  ])("is known by what %s says", (_, message) => {
    expect(needsTooMuchGas(told({ code: -32_000, message }))).toBe(true);
  });

  test("is known where an empty answer comes with it", () => {
    expect(
      needsTooMuchGas(
        told({ code: -32_000, message: "Transaction ran out of gas", data: { message: "", data: "0x" } }),
      ),
    ).toBe(true);
  });

  test.each([
    ["its sender has no money", { code: -32_000, message: "gas required exceeds allowance (0)" }],
    ["it reverts with a reason", { code: 3, message: "execution reverted: out of gas", data: "0xdeadbeef" }],
    ["the provider fails", { code: -32_603, message: "database is locked" }],
  ])("is not seen where %s", (_, error) => {
    expect(needsTooMuchGas(told(error))).toBe(false);
  });
});
