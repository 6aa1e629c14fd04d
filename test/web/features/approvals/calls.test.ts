import { createElement } from "react";
import { expect, test } from "vitest";
import { ProposalSummary } from "@/features/approvals/Calls.tsx";
import { warningWords } from "@/features/approvals/words.ts";
import type { Proposal } from "@/lib/model.ts";
import { proposalOf } from "../../support/proposal.ts";
import { shown as textOf } from "../../support/shown.ts";

/** What both dialogs of signing show of a proposal, as text. */
const shown = (proposal: Proposal): string => textOf(createElement(ProposalSummary, { proposal }));

const target = "0x4ed7c70F96B99c776995fB64377f0d4aB3B0e1C1";
const [plain] = proposalOf(0).calls;
if (!plain) throw new Error("the proposal has no call");

test("whoever signs sees the Treasury, the deadline, and of each call its target, coin, words and warnings", () => {
  const proposal = proposalOf(0, {
    deadline: Date.UTC(2031, 1, 3, 4, 5, 6),
    calls: [
      plain,
      {
        ...plain,
        to: target,
        target: `the Escrow contract (${target})`,
        value: "1000000000000000001",
        coin: { ...plain.coin, amount: "1.000000000000000001" },
        words: "Call close of the Escrow contract",
        warnings: ["nativeValue", "notExplained"],
      },
    ],
  });
  const text = shown(proposal);
  expect(text).toContain(proposal.treasury);
  expect(text).toMatch(/until 3 Feb 2031/);
  for (const { words } of proposal.calls) expect(text).toContain(words);
  expect(text).toContain(`the Escrow contract (${target})`);
  expect(text, "the coin to the last digit").toMatch(/1\s*\.00\s*0000000000000001\s*ETH/);
  expect(text).toContain(warningWords.nativeValue);
  expect(text).toContain(warningWords.notExplained);
  expect(text).not.toContain(warningWords.unlimitedApproval);
});

test("a call that sends no coin says so of the coin by its name", () =>
  expect(shown(proposalOf(0))).toContain("ETH sent none"));

test("the limits that a budget lacks are named; terms that cannot be read are left to the sentence", () => {
  const none = (2n ** 128n - 1n).toString();
  const told = (terms: string) =>
    shown(
      proposalOf(0, {
        calls: [
          {
            ...plain,
            warnings: ["missingLimit"],
            decoded: {
              contract: "Treasury",
              function: "setBudget",
              args: [{ name: "terms", type: "tuple", value: terms }],
            },
          },
        ],
      }),
    );
  const terms = {
    hourly: none,
    daily: "1",
    weekly: "1",
    monthly: none,
    perTransaction: none,
    approvalAbove: "1",
  };
  expect(told(JSON.stringify(terms))).toContain(
    "The budget has no hourly limit, no monthly limit and no limit for one payment.",
  );
  expect(told("{")).toContain(warningWords.missingLimit);
});

test("a deadline that no date holds is none", () =>
  expect(shown(proposalOf(0, { deadline: 8_640_000_000_000_000 }))).toContain("at any time"));
