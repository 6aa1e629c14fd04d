import { encodeErrorResult, type Hex } from "viem";
import { expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { reasonInWords } from "#offchain/features/treasury/proposals/simulation.ts";
import { RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";
import { riskWords } from "@/features/approvals/signing/words.ts";
import { reasonWords, revertWords } from "@/lib/failure.ts";
import { clockText } from "@/lib/time.ts";

const treasury = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const stranger = "0x000000000000000000000000000000000000dEaD";
const decoder = new RevertDecoder({ Treasury: treasuryAbi });
const now = Math.floor(Date.now() / 1_000);

const notOwner = encodeErrorResult({ abi: treasuryAbi, errorName: "Treasury_NotOwner", args: [stranger] });
const expired = encodeErrorResult({
  abi: treasuryAbi,
  errorName: "Treasury_Expired",
  args: [BigInt(now + 60), BigInt(now)],
});
const failed = (reason: Hex): Hex =>
  encodeErrorResult({ abi: treasuryAbi, errorName: "Treasury_CallFailed", args: [0n, treasury, reason] });

/** As the service tells it of the bytes, and the page of that. */
const told = (data: Hex): string => riskWords.fails(reasonInWords(data, decoder));

test("why it would fail is told in words, not as the contract's error", () => {
  expect(told(failed(notOwner))).toBe(
    "Executed now, it would fail: call 1, to 0xe7f1…0512: 0x0000…dEaD is not an owner.",
  );
  expect(told(expired)).toBe(`Executed now, it would fail: its time was up at ${clockText(now * 1_000)}.`);
});

test("an error without words of its own is told by its name, with what its arguments are called", () => {
  const range = encodeErrorResult({
    abi: treasuryAbi,
    errorName: "Treasury_ThresholdOutOfRange",
    args: [4n, 3n],
  });
  expect(reasonWords(reasonInWords(range, decoder))).toBe("threshold out of range (got 4, owners 3)");
  expect(revertWords("Treasury_NoCalls")).toBe("no calls");
});

test("bytes that nobody explains and sentences of another form are no riddle", () => {
  expect(reasonWords(reasonInWords(failed("0xdeadbeef"), decoder))).toBe(
    "call 1, to 0xe7f1…0512: unknown error 0xdeadbeef",
  );
  for (const plain of [reasonInWords(failed("0x"), decoder), "the execution reverts: no JSON {", ""])
    expect(reasonWords(plain)).toBe(plain);
});
