import { describe, expect, test } from "vitest";
import { countingApprovals, isApprovable, stateOf } from "#offchain/features/treasury/rules.ts";

const [one, two, former] = ["0x01", "0x02", "0x03"] as const;
const membership = { owners: [one, two], threshold: 2 };
const proposal = {
  state: "open" as const,
  deadlineS: 1n,
  threshold: 2,
  approvals: [{ owner: one }, { owner: two }],
};

describe("a proposal", () => {
  test("is ready once enough owners have approved, and open before", () => {
    expect(stateOf(proposal, membership, 0)).toBe("ready");
    expect(stateOf({ ...proposal, approvals: [{ owner: one }] }, membership, 0)).toBe("open");
  });

  test("is not ready by the approval of somebody who has left", () => {
    const approvals = [{ owner: one }, { owner: former }];
    expect(countingApprovals(approvals, membership.owners)).toEqual([{ owner: one }]);
    expect(stateOf({ ...proposal, approvals }, membership, 0)).toBe("open");
  });

  test.each([1, 3])("counts nothing once %i owners decide instead of two", (threshold) => {
    const changed = { ...membership, threshold };
    expect(stateOf(proposal, changed, 0)).toBe("outdated");
    expect(isApprovable(proposal, changed, 0)).toBe(false);
    expect(stateOf(proposal, changed, 1_001)).toBe("expired");
    expect(stateOf({ ...proposal, state: "executed" }, changed, 0)).toBe("executed");
  });

  test("expires after the last millisecond of its deadline, approved or not", () => {
    expect(stateOf(proposal, membership, 1_000)).toBe("ready");
    expect(stateOf(proposal, membership, 1_001)).toBe("expired");
    expect([1_000, 1_001].map((now) => isApprovable(proposal, membership, now))).toEqual([true, false]);
  });

  test("with the latest deadline of the contract never expires", () => {
    const endless = { ...proposal, deadlineS: 2n ** 256n - 1n };
    expect([stateOf(endless, membership, 1e15), isApprovable(endless, membership, 1e15)]).toEqual([
      "ready",
      true,
    ]);
  });

  test.each(["executed", "cancelled", "lost"] as const)("stays %s, whatever the time", (state) => {
    expect(stateOf({ ...proposal, state }, membership, 2_000)).toBe(state);
    expect(isApprovable({ ...proposal, state }, membership, 0)).toBe(false);
  });
});
