import { describe, expect, test } from "vitest";
import {
  approvedByExecuting,
  isInFilter,
  isOnGoneChain,
  queueOrder,
  standing,
  statesOf,
} from "@/features/approvals/rules.ts";
import { now, owners, proposalOf } from "../../support/proposal.ts";

const [one, two, three] = owners;
const stranger = "0x0000000000000000000000000000000000000001";

describe("what a viewer may do", () => {
  test("an owner who has not signed may sign", () =>
    expect(standing(proposalOf(0), one, now)).toMatchObject({
      canSign: true,
      canExecute: false,
      isMine: true,
    }));
  test("an address is the same in any case", () =>
    expect(standing(proposalOf(0), one.toLowerCase(), now).canSign).toBe(true));
  test("an owner signs once", () =>
    expect(standing(proposalOf(1), one, now)).toMatchObject({
      canSign: false,
      hasSigned: true,
      isMine: false,
    }));
  test("the last missing owner may approve and execute at once", () =>
    expect(standing(proposalOf(1), two, now).canFinish).toBe(true));
  test("the first of two may not", () => expect(standing(proposalOf(0), two, now).canFinish).toBe(false));
  test("with a quorum nobody needs to sign, and anyone may execute", () => {
    expect(standing(proposalOf(2), three, now)).toMatchObject({
      canSign: false,
      canExecute: true,
      canFinish: false,
    });
    expect(standing(proposalOf(2), stranger, now).canExecute).toBe(true);
    expect(standing(proposalOf(2), undefined, now).canExecute).toBe(true);
  });
  test("a stranger may neither sign nor reject", () =>
    expect(standing(proposalOf(0), stranger, now)).toMatchObject({
      isOwner: false,
      canSign: false,
      canCancel: false,
      isMine: false,
    }));
  test("an approval of somebody who is no owner any more does not count", () => {
    const proposal = proposalOf(2);
    const left = proposal.approvals.map((approval) => ({ ...approval, counts: approval.owner !== one }));
    expect(standing({ ...proposal, approvals: left }, three, now)).toMatchObject({
      signed: 1,
      canExecute: false,
    });
  });
  test("nothing may be done after the deadline", () =>
    expect(standing(proposalOf(2, { deadline: now }), one, now)).toMatchObject({
      isOpen: false,
      canExecute: false,
      canCancel: false,
    }));
  test("nobody rejects alone what changes owners under a nonce of theirs", () => {
    const reserved = 2n ** 256n - 2n ** 64n;
    for (const [nonce, canCancel] of [
      [reserved - 1n, true],
      [reserved, false],
      [2n ** 256n - 1n, false],
    ] as const)
      expect(standing(proposalOf(1, { nonce: nonce.toString() }), two, now).canCancel).toBe(canCancel);
  });
  test.each(["executed", "superseded", "cancelled", "expired", "outdated", "lost"] as const)(
    "nothing may be done when %s",
    (state) =>
      expect(standing(proposalOf(1, { state }), two, now)).toMatchObject({
        canSign: false,
        canCancel: false,
      }),
  );
});

describe("who approved by executing", () => {
  const executed = proposalOf(1, { state: "executed" });
  const sentBy = (from: string, to: string | null = executed.treasury.toLowerCase()) => ({ from, to });
  test("is the owner who sent the transaction when one signature was missing", () =>
    expect(approvedByExecuting(executed, sentBy(two.toLowerCase()))).toBe(two));
  test("is nobody while the transaction is not known, for a stranger's, or by way of another contract", () => {
    for (const transaction of [undefined, sentBy(stranger), sentBy(two, stranger), sentBy(two, null)])
      expect(approvedByExecuting(executed, transaction)).toBeNull();
  });
  test("is nobody when the signatures were enough, and of nothing that was not executed", () => {
    expect(approvedByExecuting(proposalOf(2, { state: "executed" }), sentBy(three))).toBeNull();
    expect(approvedByExecuting(proposalOf(0, { state: "executed" }), sentBy(three))).toBeNull();
    expect(approvedByExecuting(proposalOf(1, { state: "open" }), sentBy(two))).toBeNull();
  });
});

describe("the queue", () => {
  test("what waits for the viewer comes first, then the nearest deadline", () => {
    const signed = proposalOf(1, { nonce: "1", deadline: now + 1_000 });
    const late = proposalOf(0, { nonce: "2", deadline: now + 9_000 });
    const soon = proposalOf(0, { nonce: "3", deadline: now + 5_000 });
    expect(queueOrder([signed, late, soon], one, now).map(({ nonce }) => nonce)).toEqual(["3", "2", "1"]);
  });
  test("each proposal is in exactly one of waiting, executed and closed", () => {
    for (const state of [...statesOf.waiting, ...statesOf.executed, ...statesOf.closed])
      for (const deadline of [now - 1, now + 1]) {
        const filters = (["waiting", "executed", "closed"] as const).filter((filter) =>
          isInFilter({ state, deadline }, filter, now),
        );
        expect(filters, `${state} ${deadline - now}`).toHaveLength(1);
      }
  });
});

describe("a proposal of a chain that is gone", () => {
  const loose = proposalOf(2, { state: "lost", unfollowed: true });
  test("can be rejected on the new one by an owner until its deadline, and nothing else", () => {
    expect(standing(loose, three, now)).toMatchObject({
      isOpen: false,
      isLoose: true,
      canCancel: true,
      canSign: false,
      canExecute: false,
      canFinish: false,
      isMine: false,
    });
    expect(standing(loose, stranger, now).canCancel).toBe(false);
    expect(standing({ ...loose, deadline: now }, three, now)).toMatchObject({
      isLoose: false,
      canCancel: false,
    });
  });
  test("was executed on it unless its execution is younger than the chain as it is now", () => {
    const isOfEarlierRun = (at: number) => at < now;
    const executed = { ...loose, state: "executed" as const, openedAt: now - 1 };
    expect(isOnGoneChain({ ...executed, executedAt: now - 1 }, isOfEarlierRun)).toBe(true);
    const again = { ...executed, unfollowed: false, executedAt: now + 1 };
    expect(isOnGoneChain(again, isOfEarlierRun), "executed on the new one").toBe(false);
    const takenBack = { ...loose, takenBack: true, openedAt: now + 1 };
    expect(isOnGoneChain(takenBack, isOfEarlierRun), "the chain goes on").toBe(false);
  });
});
