import { encodeErrorResult, type Hex } from "viem";
import { expect, test } from "vitest";
import { testUsdcAbi, treasuryAbi } from "#contracts";
import { reasonInWords } from "#offchain/features/treasury/proposals/simulation.ts";
import { RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";

const reverts = new RevertDecoder({ Treasury: treasuryAbi, USDC: testUsdcAbi });
const payee = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const failed = (reason: Hex) =>
  reasonInWords(
    encodeErrorResult({ abi: treasuryAbi, errorName: "Treasury_CallFailed", args: [1n, payee, reason] }),
    reverts,
  );

test("a call that fails is told by its place, its target and its own reason", () => {
  const inner = encodeErrorResult({
    abi: [{ type: "error", name: "Error", inputs: [{ name: "message", type: "string" }] }],
    args: ["no"],
  });
  expect(failed(inner)).toBe(`call 2, to ${payee}, reverts: Error {"message":"no"}`);
  expect(failed("0x")).toContain(`call 2, to ${payee}, reverts without a reason`);
  expect(failed(inner.slice(0, 90) as Hex), "cut off by the contract").toContain("reverts: 0x08c379a0");
});

test("the Treasury's own refusal is told as it is", () => {
  const used = encodeErrorResult({ abi: treasuryAbi, errorName: "Treasury_NonceUsed", args: [7n] });
  expect(reasonInWords(used, reverts)).toBe('the execution reverts: Treasury_NonceUsed {"nonce":"7"}');
});
