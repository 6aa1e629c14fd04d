import {
  TransactionReceiptNotFoundError,
  UserRejectedRequestError,
  WaitForTransactionReceiptTimeoutError,
} from "viem";
import { expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { errorWords, explain, notSwitchedWords } from "@/lib/failure.ts";

test("a declined signature is a choice, not a fault", () => {
  const wrapped = new Error("outer", { cause: new UserRejectedRequestError(new Error("no")) });
  expect(explain(wrapped)).toMatchObject({ kind: "declined", canRetry: true });
});
test("a refusal of the service keeps its words and its code, and says what to do", () => {
  const failure = explain(new BursarError("QUORUM_MISSING", "one more signature is needed"));
  expect(failure).toMatchObject({
    kind: "refused",
    code: "QUORUM_MISSING",
    detail: "One more signature is needed",
    next: "Ask the missing owners to sign.",
    canRetry: false,
  });
});
test("what the service does not know is missing, and called what it is", () => {
  const titleOf = (code: "PAYMENT_UNKNOWN" | "PROPOSAL_UNKNOWN" | "AGENT_UNKNOWN") => {
    const { kind, title, canRetry } = explain(new BursarError(code, "no such"));
    expect([kind, canRetry]).toEqual(["missing", false]);
    return title;
  };
  expect(titleOf("PROPOSAL_UNKNOWN")).toBe("This proposal is not known here");
  expect(titleOf("PAYMENT_UNKNOWN")).toBe("This payment is not known here");
  expect(titleOf("AGENT_UNKNOWN")).toBe("What you asked for is not known here");
});
test("a chain that is silent is not a service that refuses", () => {
  const words = "The provider of chain 31337 does not answer: it says nothing";
  expect(explain(new BursarError("CHAIN_UNAVAILABLE", words))).toMatchObject({
    title: "The chain does not answer",
    kind: "unreachable",
    isUnsure: true,
    code: "CHAIN_UNAVAILABLE",
  });
});
test("a retryable refusal offers to try again", () =>
  expect(explain(new BursarError("OVERLOADED", "busy")).canRetry).toBe(true));
test("a silent service is unreachable", () => {
  for (const error of [new TypeError("Failed to fetch"), new BursarError("SERVICE_UNREACHABLE", "no answer")])
    expect(explain(error).kind).toBe("unreachable");
});
test("a programming error is not taken for a silent service", () =>
  expect(explain(new TypeError("x is not a function")).kind).toBe("failed"));
test("a contract's error is told in words with its figures", () => {
  const reverted = Object.assign(new Error("reverted"), {
    name: "ContractFunctionRevertedError",
    data: { errorName: "Treasury_QuorumNotReached", args: [1n, 2n] },
  });
  expect(explain(new Error("outer", { cause: reverted }))).toMatchObject({
    code: "Treasury_QuorumNotReached",
    detail: "Quorum not reached (1, 2)",
  });
});
test("a wallet's internal error is no contract's, and may come after the transaction was sent", () => {
  const internal = (reason: string) =>
    explain(
      new Error("outer", {
        cause: Object.assign(new Error(reason), { name: "ContractFunctionRevertedError", reason }),
      }),
    );
  expect(internal("Request timed out. See https://example.com for more")).toMatchObject({
    title: "Your wallet reports an error",
    detail: "Request timed out.",
    isUnsure: true,
  });
  expect(internal("execution reverted: no")).toMatchObject({ title: "The contract refused" });
});
test("a circle of causes ends", () => {
  const error = new Error("round");
  error.cause = error;
  expect(explain(error).kind).toBe("failed");
});
test("error names become words", () => expect(errorWords("Treasury_NonceUsed")).toBe("nonce used"));
test("what the page itself stops is told as its own refusal", () => {
  const stopped = Object.assign(new Error("The data differ"), { name: "ProposalDiffers" });
  expect(explain(stopped)).toMatchObject({ kind: "refused", detail: "The data differ", canRetry: false });
});
test("what waits for a block may have been sent", () =>
  expect(explain(new BursarError("CHAIN_UNAVAILABLE", "the transaction is not indexed yet"))).toMatchObject({
    title: "The chain does not answer",
    isUnsure: true,
  }));
test("a transaction that was mined and reverted has changed nothing, and is not simply tried again", () =>
  expect(explain(Object.assign(new Error("it reverted"), { name: "TransactionReverted" }))).toMatchObject({
    title: "The contract refused",
    detail: "it reverted",
    canRetry: false,
  }));
test("a transaction that is slow to be mined has not failed", () => {
  const hash = `0x${"ab".repeat(32)}` as const;
  for (const error of [
    new WaitForTransactionReceiptTimeoutError({ hash }),
    new TransactionReceiptNotFoundError({ hash }),
  ])
    expect(explain(error)).toMatchObject({
      title: "Sent, but in no block yet",
      detail: `It can still be executed: do not send it again. ${hash}`,
      canRetry: false,
    });
});
test("of what nobody has answered for, no place is named that cannot tell", () => {
  const unanswered = explain(new BursarError("SERVICE_UNREACHABLE", "none", { facts: { method: "POST" } }));
  expect(unanswered).toMatchObject({ isUnsure: true });
  expect(unanswered.next).not.toMatch(/Signatures/);
});

test("a wallet that did not go to another network is told as that", () => {
  expect(notSwitchedWords(new UserRejectedRequestError(new Error("no")))).toMatch(/^You declined to switch/);
  expect(notSwitchedWords({ code: 4902, message: "Unrecognized chain ID." })).toBe(
    "Your wallet did not switch. It says: Unrecognized chain ID. Switch in the wallet itself.",
  );
});
