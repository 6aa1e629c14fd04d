import { createElement } from "react";
import { describe, expect, test } from "vitest";
import type { Stops } from "@/features/approvals/reading/stops.ts";
import { UnreadNotice } from "@/features/approvals/signing/Risks.tsx";
import { type Risk, risksOf } from "@/features/approvals/signing/risk.ts";
import { riskWords, unreadWords } from "@/features/approvals/signing/words.ts";
import { owners, proposalOf } from "../../support/proposal.ts";
import { shown } from "../../support/shown.ts";

const [agent, payee, proposer] = owners;
const lower = (address: string) => address.toLowerCase();
const [call] = proposalOf(0).calls;
if (!call) throw new Error("the proposal has no call");

const about = (name: string) => ({
  proposer: proposer as `0x${string}`,
  calls: [
    {
      ...call,
      decoded: {
        contract: "Treasury",
        function: name,
        args: [
          { name: "spender", type: "address", value: agent },
          { name: "to", type: "address", value: payee },
        ],
      },
    },
  ],
});
const free: Stops = { isPaused: false, frozen: [], removed: [], unlisted: [] };
const stopped: Stops = {
  isPaused: true,
  frozen: [agent, payee, proposer].map(lower),
  removed: [lower(agent)],
  unlisted: [{ spender: lower(agent), payee: lower(payee) }],
};

describe("what stands against a decision", () => {
  test("nothing where nobody is stopped and it would succeed", () =>
    expect(risksOf(about("disburse"), { stops: free, denied: [], failure: null })).toEqual([]));
  test("every stop, whoever of the spender, the proposer and the recipient is stopped, and that it would fail", () =>
    expect(risksOf(about("disburse"), { stops: stopped, denied: [], failure: "Balance too low" })).toEqual([
      { kind: "paused", about: "" },
      { kind: "frozen", about: agent },
      { kind: "frozen", about: proposer },
      { kind: "removed", about: agent },
      { kind: "frozenPayee", about: payee },
      { kind: "denied", about: payee },
      { kind: "fails", about: "Balance too low" },
    ] satisfies Risk[]));
  test("a stop is told whether or not its account has a budget any more", () =>
    expect(
      risksOf(about("disburse"), {
        stops: { ...free, frozen: [lower(agent)], removed: [lower(agent)] },
        denied: [],
        failure: null,
      }).map(({ kind }) => kind),
    ).toEqual(["frozen", "removed"]));
  test("what is known of it, when the rest is not", () => {
    const denied = [{ spender: lower(agent), payee: lower(payee) }];
    expect(risksOf(about("disburse"), { stops: null, denied, failure: null })).toEqual([
      { kind: "denied", about: payee },
    ]);
    const frozen = { ...free, frozen: [lower(payee)] };
    expect(risksOf(about("disburse"), { stops: frozen, denied: null, failure: null })).toEqual([
      { kind: "frozenPayee", about: payee },
    ]);
  });
  test("what lifts a stop is not warned of because there is one", () => {
    expect(risksOf(about("unfreeze"), { stops: stopped, denied: [], failure: null })).toEqual([]);
    expect(risksOf(about("unpause"), { stops: stopped, denied: [], failure: "no" })).toEqual([
      { kind: "fails", about: "no" },
    ]);
  });
  test("is told with the account that it is about", () => {
    expect(riskWords.frozenPayee(payee)).toMatch(/^The recipient 0x3C44…93BC is frozen\./);
    expect(riskWords.removed(agent)).toMatch(
      /^The budget of the agent 0x7099…79C8 was taken away\. .* all the same\.$/,
    );
    expect(riskWords.denied(payee)).toMatch(
      /^The recipient 0x3C44…93BC may not be paid from the agent's budget/,
    );
  });
});

test("what could not be read is told as unknown, and is to be confirmed as such", () => {
  const risks = { of: () => [], isAsking: false, mayDecide: false, isConfirmed: false, confirm: () => {} };
  const unread = shown(createElement(UnreadNotice, { risks: { ...risks, unread: ["stops", "simulation"] } }));
  for (const words of [unreadWords.stops, unreadWords.simulation, unreadWords.confirm])
    expect(unread).toContain(words);
  expect(shown(createElement(UnreadNotice, { risks: { ...risks, unread: [] } }))).toBe("");
  expect(shown(createElement(UnreadNotice, { risks: { ...risks, unread: [], isAsking: true } }))).toContain(
    unreadWords.asking,
  );
});
