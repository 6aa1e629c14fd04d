import { describe, expect, test } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import {
  type Action,
  type Answer,
  asLeft,
  endOf,
  heard,
  type Progress,
} from "@/features/approvals/signing/progress.ts";
import { progressNotices, progressWords } from "@/features/approvals/signing/words.ts";
import type { Proposal } from "@/lib/model.ts";
import { now, proposalOf } from "../../support/proposal.ts";

const hash = `0x${"33".repeat(32)}` as const;
const other = `0x${"44".repeat(32)}` as const;
const ready = proposalOf(2);
const executed = proposalOf(2, { state: "executed", transactionHash: hash, executedAt: now });
const cancelled = proposalOf(1, { state: "cancelled", transactionHash: hash });

const answer = (proposal: Proposal, changes: Partial<Answer> = {}): Answer => ({
  proposal,
  at: now,
  hasSigned: false,
  isGone: false,
  ...changes,
});

/** Where it stands after the service has said each of these, one after the other. */
const hearing = (progress: Progress, what: Action, ...said: Proposal[]): Progress =>
  said.reduce((before, proposal) => heard(before, what, answer(proposal)), progress);

describe("what was done", () => {
  const done: Progress = { at: "done", hash };
  test("stays while the service has yet to hear of it, and when it has", () => {
    expect(hearing(done, "execution", ready)).toBe(done);
    expect(hearing(done, "execution", ready, executed).at).toBe("done");
  });
  test("is undone when the service has said so and says that it is open again; also a rejection", () => {
    expect(hearing(done, "execution", executed, ready)).toEqual({ at: "undone", hash, isStale: false });
    expect(hearing(done, "rejection", cancelled, proposalOf(1)).at).toBe("undone");
  });
  test("is done again when its block comes back", () =>
    expect(hearing(done, "execution", executed, ready, executed).at).toBe("done"));
  test("closes the proposal before the service does, so nothing else says that it is open", () => {
    expect(asLeft(ready, done, { at: "idle" })).toMatchObject({ state: "executed", transactionHash: hash });
    expect(asLeft(proposalOf(1), { at: "idle" }, done).state).toBe("cancelled");
  });
  test("says nothing of a chain that is gone", () =>
    expect(heard(done, "execution", answer(executed, { isGone: true })).at).toBe("idle"));
});

describe("what is in no block any more", () => {
  const undone: Progress = { at: "undone", hash, isStale: true };
  test("is not believed to be executed because the service has yet to hear of it", () => {
    expect(hearing(undone, "execution", executed)).toBe(undone);
    const left = asLeft(executed, undone, { at: "idle" });
    expect(left).toMatchObject({ state: "ready", transactionHash: null, executedAt: null });
  });
  test("is told no more when another transaction has done it", () =>
    expect(hearing(undone, "execution", { ...executed, transactionHash: other }).at).toBe("idle"));
});

describe("what was sent and is in no block", () => {
  const sent: Progress = { at: "submitted", hash };
  test("waits without an end, and is not to be sent again", () => {
    expect(hearing(sent, "execution", ready, ready)).toBe(sent);
    const { title, text } = progressNotices.submitted;
    expect(`${title}. ${text("execution")}`).toBe(
      "Sent, but in no block yet. It can still be executed: do not send it again.",
    );
  });
  test("is answered by the proposal's own state", () => {
    expect(hearing(sent, "execution", executed).at).toBe("done");
    expect(hearing(sent, "execution", { ...executed, transactionHash: other }).at).toBe("idle");
    expect(hearing(sent, "execution", cancelled).at).toBe("idle");
  });
});

describe("what nobody has answered for", () => {
  const error = new BursarError("SERVICE_UNREACHABLE", "no answer", { facts: { method: "POST" } });
  const failed: Progress = { at: "failed", error, since: now };
  test("is told no more once the proposal has ended", () =>
    expect(hearing(failed, "execution", executed).at).toBe("idle"));
  test("is told otherwise when the service has answered since", () => {
    expect(heard(failed, "execution", answer(ready, { at: now - 1 }))).toBe(failed);
    const answered = heard(failed, "execution", answer(ready, { at: now + 1 }));
    expect(answered).toMatchObject({ at: "failed", isAnswered: true });
    expect(progressWords(answered, "execution")).toBe("Not executed so far");
  });
  test("a signature that has arrived is there", () =>
    expect(heard(failed, "signature", answer(ready, { hasSigned: true })).at).toBe("done"));
  test("the advice is about what was asked for", () => {
    expect(progressNotices.unsure("execution")).toMatch(/this page then says whether it was executed\.$/);
    expect(progressNotices.unsure("execution")).not.toMatch(/Signatures/);
  });
  test("a refusal is an answer, and stays", () => {
    const refused: Progress = { at: "failed", error: new BursarError("OVERLOADED", "busy"), since: now };
    expect(hearing(refused, "execution", executed)).toBe(refused);
  });
});

test("what has ended a proposal is named; one that is open has no end", () => {
  expect(endOf(ready, now, "signature")).toBeNull();
  expect(endOf({ ...ready, state: "open", deadline: now }, now, "signature")).toBe("expired");
  expect([executed, cancelled].map((one) => endOf(one, now, "signature"))).toEqual(["executed", "rejected"]);
});
test("one of which another used the nonce, or whose opening was taken back, is not said to be rejected or lost", () => {
  const superseded = { ...ready, state: "superseded" as const };
  expect(endOf(superseded, now, "signature")).toBe("superseded");
  expect(endOf(superseded, now, "rejection")).toBe("superseded");
  const takenBack = { ...ready, state: "lost" as const, unfollowed: true, takenBack: true };
  expect(endOf(takenBack, now, "signature")).toBe("takenBack");
  expect(endOf(takenBack, now, "rejection"), "its signatures are valid").toBeNull();
});
test("one of a chain that is gone can still be rejected on the new one, whatever became of it, and not signed", () => {
  for (const state of ["lost", "executed", "cancelled"] as const) {
    const gone = { ...ready, state, unfollowed: true };
    expect(endOf(gone, now, "rejection")).toBeNull();
    expect(endOf(gone, now, "signature")).not.toBeNull();
    expect(endOf({ ...gone, deadline: now }, now, "rejection")).toBe("expired");
  }
});

test("who stops says why, and what to do with the request in the wallet", () => {
  const stopped = (why: "rejected" | "expired" | "network") =>
    progressWords({ at: "stopped", why, isAsked: true }, "signature");
  expect(stopped("rejected")).toBe("Stopped: it was rejected meanwhile. Decline the request in your wallet.");
  expect(stopped("expired")).toMatch(/^Stopped: its time is up\./);
  expect(stopped("network")).toMatch(/^Stopped: your wallet changed network\./);
});
