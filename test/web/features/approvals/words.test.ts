import { UserRejectedRequestError } from "viem";
import { describe, expect, test } from "vitest";
import type { Progress } from "@/features/approvals/signing/progress.ts";
import { batchStopWords, progressWords } from "@/features/approvals/signing/words.ts";
import {
  decisionWords,
  nextStep,
  ownerInWords,
  queueEmpty,
  queueWords,
  stateBadge,
  waitingWords,
} from "@/features/approvals/words.ts";
import { explain } from "@/lib/failure.ts";
import { now, owners, proposalOf } from "../../support/proposal.ts";

const [one, two, three] = owners;
const nameOf = (owner: string) => `Owner ${owners.indexOf(owner as typeof one) + 1}`;

describe("what has to happen next", () => {
  test("the missing owners are named", () => {
    expect(nextStep(proposalOf(1), one, now, nameOf)).toBe(
      "1 signature is still needed, from Owner 2 or Owner 3.",
    );
    const ofThree = proposalOf(0, { threshold: 2 });
    expect(nextStep(ofThree, undefined, now, nameOf)).toBe(
      "2 signatures are still needed, from Owner 1, Owner 2 or Owner 3.",
    );
  });
  test("an owner whose signature is missing is told so", () =>
    expect(nextStep(proposalOf(0), one, now, nameOf)).toBe(
      "You have not signed; 2 signatures are still needed.",
    ));
  test("the last signer is told so", () =>
    expect(nextStep(proposalOf(1), two, now, nameOf)).toBe("Yours is the last signature it needs."));
  test("when all who are missing are needed", () =>
    expect(nextStep(proposalOf(0, { missing: [two, three] }), undefined, now, nameOf)).toBe(
      "Owner 2 and Owner 3 must still sign.",
    ));
});

test("a proposal past its deadline waits no more before the service says so, and nothing is said of it for ever", () => {
  const late = proposalOf(1, { deadline: now - 1 });
  expect(stateBadge(late, now, false).word).toBe("Time is up");
  expect(nextStep(late, one, now, nameOf)).toMatch(/^Its time seems to be up; the service has not said yet/);
  const expired = { ...late, state: "expired" as const };
  expect(stateBadge(expired, now, false).word).toBe("Expired");
  expect(nextStep(expired, one, now, nameOf)).toBe("It has expired; it can never be executed.");
});

test("what was executed on a chain that is gone is written off; what is open is not touched by that", () => {
  const executed = proposalOf(2, { state: "executed" });
  expect(stateBadge(executed, now, true).word).toBe("On a chain that is gone; written off");
  expect(stateBadge(executed, now, false).word).toBe("Executed");
  expect(stateBadge(proposalOf(0, { state: "cancelled" }), now, true).word).toBe("Rejected");
  expect(nextStep(executed, one, now, nameOf, true)).toMatch(
    /^It was executed on a chain that is gone; what it moved there is written off\. Its signatures are valid/,
  );
});

describe("what a restart of the chain left unfollowed", () => {
  const lost = proposalOf(1, { state: "lost", unfollowed: true, deadline: Date.UTC(2031, 1, 3, 4, 5, 6) });
  const told = (changes: Partial<typeof lost> = {}) => nextStep({ ...lost, ...changes }, one, now, nameOf);
  test("can be executed on the new chain by whoever has its signatures, until its deadline", () => {
    expect(told()).toMatch(
      /^It was opened on a chain that is gone, and is not followed on the new one\. Its signatures are valid on the new one too: whoever has enough of them can execute it until 3 Feb 2031, .*, unless an owner rejects it there\.$/,
    );
    expect(told({ deadline: 8.64e15 })).toContain("can execute it at any time, unless");
    expect(told({ deadline: now })).toMatch(/It has expired, so nobody can execute it on the new one\.$/);
  });
  test("also if it was executed or rejected on the one that is gone", () => {
    expect(told({ state: "executed" })).toMatch(/written off\. Its signatures are valid on the new one too/);
    expect(told({ state: "cancelled" })).toMatch(/counts for nothing on the new one\. Its signatures are/);
    expect(stateBadge({ ...lost, state: "cancelled" }, now, true).word).toBe(
      "Rejected on a chain that is gone",
    );
  });
  test("is called neither void nor the victim of a reorganisation", () => {
    for (const words of [stateBadge(lost, now, true).word, told(), queueEmpty.closed.text])
      expect(words).not.toMatch(/void|never|reorg|dropped/i);
    expect(stateBadge(lost, now, true).word).toBe("Not followed: the chain was restarted");
  });
});

test("a batch that stops says what was sent before, and that it stays", () => {
  const declined = explain(new UserRejectedRequestError(new Error("no")));
  expect(batchStopWords(1, 3, declined)).toBe(
    "1 of 3 signed and sent; you declined the second. Signatures that were sent stay.",
  );
  expect(batchStopWords(10, 12, declined)).toContain("you declined number 11");
  expect(batchStopWords(0, 3, declined)).toBe("Nothing was signed and nothing was sent.");
  const failed = explain({ code: "OWNER_UNKNOWN", remedy: "fix", status: 403, message: "no owner" });
  expect(batchStopWords(2, 3, failed)).toBe(
    "2 of 3 signed and sent; the third failed. Signatures that were sent stay. No owner",
  );
  const lost = explain({ code: "SERVICE_UNREACHABLE", facts: { method: "POST" } });
  expect(batchStopWords(1, 2, lost)).toMatch(
    /^1 of 2 signed and sent; we do not know whether the second arrived\. Signatures that were sent stay\./,
  );
});

test("a chain is called by its name, where it has one", () => {
  expect(decisionWords.wrongChain(1)).toBe("Your wallet is on Ethereum (chain 1)");
  expect(decisionWords.wrongChain(4_242)).toBe("Your wallet is on chain 4242");
  expect(decisionWords.rightChain(8_453)).toBe("This Treasury is on Base (chain 8453).");
});

test("nothing is promised of payments beyond a limit, and nobody is addressed who is not there", () => {
  for (const { text } of [waitingWords.empty, queueEmpty.waiting, queueEmpty.all])
    expect(text).toBe(
      "A payment above an agent's approval line appears here; payments beyond a limit are refused and not listed.",
    );
  expect([waitingWords.title(true), waitingWords.title(false)]).toEqual([
    "Waiting for you",
    "Waiting for owners",
  ]);
});

test("a self-chosen name never stands alone", () => {
  expect(ownerInWords(one, '"Mallory"')).toBe('"Mallory" (0x7099…79C8, self-chosen name)');
  expect(ownerInWords(one, "Owner 1")).toBe("Owner 1");
  expect(ownerInWords(one, undefined)).toBe("0x7099…79C8");
  expect(queueWords.asked(proposalOf(0))).toBe('"Iris" (0x15d3…6A65, self-chosen name) asked');
  expect(queueWords.asked(proposalOf(0, { proposerName: null }))).toBe("0x15d3…6A65 asked");
});

test("every progress but idle is announced", () => {
  const all: Progress[] = [
    { at: "checking" },
    { at: "wallet" },
    { at: "stopped", why: "closed", isAsked: true },
    { at: "service" },
    { at: "submitted", hash: "0x" },
    { at: "done", hash: null },
    { at: "undone", hash: "0x", isStale: true },
    { at: "failed", error: null, since: now },
  ];
  for (const progress of all) expect(progressWords(progress, "signature")).not.toBe("");
  expect(progressWords({ at: "idle" }, "signature")).toBe("");
});

test("what was declined did not fail", () => {
  const declined: Progress = {
    at: "failed",
    error: new UserRejectedRequestError(new Error("no")),
    since: now,
  };
  expect(progressWords(declined, "signature")).toBe("You declined the signature in your wallet");
  expect(progressWords({ at: "failed", error: null, since: now }, "signature")).toBe("The signature failed");
});

describe("a proposal that ended otherwise than by its owners", () => {
  const superseded = proposalOf(2, { state: "superseded" });
  test("is not told as rejected when another one of its nonce was executed", () => {
    expect(stateBadge(superseded, now, false).word).toBe("Ended: another of its nonce was executed");
    expect(nextStep(superseded, one, now, nameOf)).toBe(
      "Another proposal of the same nonce was executed, so this one can never be.",
    );
    expect(stateBadge({ ...superseded, unfollowed: true }, now, true).word).toBe(
      "Ended on a chain that is gone",
    );
  });
  test("is told as taken back by the chain, and that it can be executed all the same", () => {
    const takenBack = proposalOf(2, {
      state: "lost",
      unfollowed: true,
      takenBack: true,
      deadline: Date.UTC(2031, 1, 3),
    });
    expect(stateBadge(takenBack, now, false).word).toBe("Opening taken back by the chain");
    expect(nextStep(takenBack, one, now, nameOf)).toMatch(
      /^A reorganisation of the chain took its opening back\. Its signatures are valid all the same: whoever has enough of them can execute it until 3 Feb 2031, .*, unless an owner rejects it\./,
    );
    expect(nextStep({ ...takenBack, deadline: now }, one, now, nameOf)).toMatch(/can never be executed\.$/);
  });
});
