import { describe, expect, it } from "vitest";
import {
  type AdpIssue,
  keyReused,
  requireSameIssue,
  requireSameOwner,
  type Society,
  unknownSociety,
} from "#offchain/features/energy/rules/society.ts";
import { owner, worker } from "../given.ts";

const society = (of: Society["owner"]): Society => ({ id: "s", owner: of, createdAt: 0 });
const issue = (change: Partial<AdpIssue> = {}): AdpIssue => ({
  key: "k",
  society: "s",
  owner,
  amount: 1_000_000n,
  ...change,
});

describe("an issue to a society that exists", () => {
  it("may name its owner, or nobody", () => {
    expect(() => requireSameOwner(society(owner), issue())).not.toThrow();
    expect(() => requireSameOwner(society(owner), issue({ owner: null }))).not.toThrow();
    expect(() => requireSameOwner(society(null), issue({ owner: null }))).not.toThrow();
  });

  it("cannot take it over: another owner is refused, and told whose it is", () => {
    expect(() => requireSameOwner(society(owner), issue({ owner: worker }))).toThrow(
      expect.objectContaining({ code: "FORBIDDEN", facts: { society: "s", owner, got: worker } }),
    );
  });

  it("cannot give an owner to one that is the operator's", () => {
    expect(() => requireSameOwner(society(null), issue())).toThrow(
      expect.objectContaining({ code: "FORBIDDEN", facts: { society: "s", owner: null, got: owner } }),
    );
  });
});

describe("an issue under a key that was used", () => {
  const conflict = expect.objectContaining({
    code: "IDEMPOTENCY_CONFLICT",
    facts: { society: "s", key: "k" },
  });

  it("is the same one when amount and owner are", () => {
    expect(() => requireSameIssue({ amount: 1_000_000n, owner }, issue())).not.toThrow();
    expect(() =>
      requireSameIssue({ amount: 0n, owner: null }, issue({ amount: 0n, owner: null })),
    ).not.toThrow();
  });

  it.each([
    ["one µADP more", { amount: 1_000_001n, owner }],
    ["one µADP less", { amount: 999_999n, owner }],
    ["another owner", { amount: 1_000_000n, owner: worker }],
    ["no owner", { amount: 1_000_000n, owner: null }],
    ["something that was no issue", null],
  ] as const)("is a conflict after %s", (_, before) => {
    expect(() => requireSameIssue(before, issue())).toThrow(conflict);
  });
});

it("what is wrong is told with what to do about it", () => {
  expect(unknownSociety("x")).toMatchObject({
    code: "SOCIETY_UNKNOWN",
    status: 404,
    facts: { society: "x" },
  });
  expect(keyReused("s", "k")).toMatchObject({ code: "IDEMPOTENCY_CONFLICT", status: 409, remedy: "fix" });
});
