import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { SettleAnswer } from "#offchain/features/x402/rules/answer.ts";
import {
  isOpen,
  next,
  nonceTaken,
  type OpenName,
  type OpenState,
  type SettleEvent,
  type Settlement,
  type SettleState,
  settleUnavailable,
  standingOf,
} from "#offchain/features/x402/rules/settlement.ts";

const [ours, others] = ["0x01", "0x02"] as const;
const answer = (about: Partial<SettleAnswer>): SettleAnswer => ({
  success: false,
  transaction: "",
  network: "eip155:31337",
  ...about,
});
const paid = answer({ success: true, transaction: "0xaa" });
const outcomes = fc.constantFrom(
  paid,
  answer({ errorReason: "settlement_pending" }),
  answer({ errorReason: "invalid_transaction_state" }),
  answer({}),
);
const refusals = fc
  .constantFrom(nonceTaken, "insufficient_funds", "unexpected_verify_error", undefined)
  .map((errorReason) => answer({ ...(errorReason && { errorReason }) }));

const records = fc.record({
  content: fc.constantFrom(ours, others),
  attempt: fc.integer({ min: 1, max: 3 }),
  transactionId: fc.bigInt({ min: 1n, max: 9n }),
  outcome: fc.option(fc.constantFrom(paid, answer({ errorReason: "invalid_transaction_state" }))),
});
/** What an outbox hands over: nothing that has failed, and of this payment. */
const standing = records
  .filter(({ outcome }) => outcome?.success !== false)
  .map((record): Settlement => ({ ...record, content: ours }));
const found = fc
  .option(records)
  .map((record) => ({ kind: "found" as const, standing: standingOf(record, ours) }));
const interrupted = fc.constant({ kind: "interrupted" as const });

/** Whatever the work of each state may come to. */
const events: { readonly [Name in OpenName]: fc.Arbitrary<SettleEvent<Name>> } = {
  begun: found,
  verifying: fc.oneof(
    fc.constant({ kind: "valid" as const }),
    refusals.map((refusal) => ({ kind: "invalid" as const, refusal })),
  ),
  refused: found,
  sending: fc.record({
    kind: fc.constant("sent" as const),
    delivery: fc.oneof(
      fc.constantFrom({ kind: "none" }, { kind: "unavailable" }, { kind: "taken" } as const),
      fc.record({ kind: fc.constantFrom("stored", "mined"), settlement: standing }),
    ) as fc.Arbitrary<SettleEvent<"sending">["delivery"]>,
    outcome: outcomes,
    isChainAway: fc.boolean(),
  }),
  waiting: fc.oneof(fc.constant({ kind: "mined" as const, hash: "0xaa" as const }), interrupted),
  reading: fc.oneof(
    outcomes.map((outcome) => ({ kind: "read" as const, outcome })),
    interrupted,
  ),
  inspecting: fc.oneof(
    fc.constant({ kind: "open" as const }),
    fc.record({
      kind: fc.constant("ineffective" as const),
      failure: fc.constant(answer({ errorReason: "invalid_transaction_state" })),
      toBlock: fc.option(fc.constant(7n)),
    }),
    interrupted,
  ),
  searching: fc.oneof(
    fc.constantFrom({ kind: "arrived" as const, outcome: paid }, { kind: "absent" as const }),
    interrupted,
  ),
  recording: fc.oneof(
    outcomes.map((outcome) => ({ kind: "recorded" as const, outcome })),
    interrupted,
  ),
};
const names = Object.keys(events) as OpenName[];

interface Step {
  readonly from: OpenState;
  readonly event: SettleEvent;
  readonly to: SettleState;
}

interface Way {
  readonly steps: readonly Step[];
  readonly end: SettleState;
}

/** A settle from its beginning, with an event of chance in each state. */
const ways = fc
  .array(fc.record(events), { minLength: names.length + 1, maxLength: names.length + 1 })
  .map((chances): Way => {
    const steps: Step[] = [];
    let state: SettleState = { name: "begun" };
    for (const chance of chances) {
      if (!isOpen(state)) break;
      const event: SettleEvent = chance[state.name];
      const to: SettleState = next<OpenName>(state, event);
      steps.push({ from: state, event, to });
      state = to;
    }
    return { steps, end: state };
  });

const holds = (property: (way: Way) => void) => fc.assert(fc.property(ways, property), { numRuns: 5_000 });

const has = ({ steps }: Way, name: OpenName) => steps.some(({ from }) => from.name === name);

/** The settlement that a state is about. */
const settlementOf = (state: SettleState): Settlement | null =>
  "settlement" in state ? state.settlement : null;

test("the transitions that exist are these", () => {
  const targets: Record<string, Set<string>> = Object.fromEntries(names.map((name) => [name, new Set()]));
  holds(({ steps }) => {
    for (const { from, to } of steps) targets[from.name]?.add(to.name);
  });
  expect(Object.fromEntries(Object.entries(targets).map(([name, to]) => [name, [...to].toSorted()]))).toEqual(
    {
      begun: ["answered", "declined", "verifying", "waiting"],
      verifying: ["refused", "sending"],
      refused: ["answered", "declined", "searching", "waiting"],
      sending: ["answered", "declined", "inspecting", "pending", "recording", "unrecorded"],
      waiting: ["inspecting", "reading"],
      reading: ["inspecting", "pending", "recording"],
      inspecting: ["pending", "searching"],
      searching: ["answered", "declined", "pending", "recording"],
      recording: ["answered", "declined", "pending"],
    },
  );
});

test("every settle ends, and is in no state twice", () =>
  holds(({ steps, end }) => {
    expect(isOpen(end)).toBe(false);
    const visited = steps.map(({ from }) => from.name);
    expect(new Set(visited).size).toBe(visited.length);
  }));

test("nothing is sent while a transaction for the key stands, nor what is not valid", () =>
  holds((way) => {
    if (!has(way, "sending")) return;
    const [looked, judged] = way.steps;
    expect(looked?.event).toMatchObject({ standing: { kind: expect.stringMatching(/^(none|failed)$/) } });
    expect(judged?.event).toEqual({ kind: "valid" });
  }));

test("what is answered for another payment with the same nonce is never answered for this one", () =>
  holds(({ steps, end }) => {
    const isTaken = steps[0]?.event.kind === "found" && steps[0].event.standing.kind === "taken";
    if (isTaken) expect(end).toEqual({ name: "declined", reason: nonceTaken });
  }));

test("a settlement stays the same one, once it is in hand", () =>
  holds(({ steps }) => {
    for (const { from, to } of steps) {
      const [before, after] = [settlementOf(from), settlementOf(to)];
      if (before && after) expect(after).toBe(before);
    }
  }));

test("an interruption never makes a payment fail whose transaction may take effect", () =>
  holds(({ steps, end }) => {
    const last = steps.at(-1);
    if (last?.event.kind !== "interrupted") return;
    const isAmending = "isAmending" in last.from && last.from.isAmending;
    // What was answered as failed may be asked for again; of all else it is not known.
    if (isAmending) expect(end).toEqual({ name: "declined", reason: settleUnavailable });
    else expect(end.name).toBe("pending");
  }));

test("a failure is recorded only when its transaction was mined or found without effect", () =>
  holds(({ steps }) => {
    const recording = steps.find(({ from }) => from.name === "recording")?.from;
    if (recording?.name !== "recording" || recording.outcome.success || recording.isAmending) return;
    const isMined = steps.some(({ event }) => event.kind === "mined");
    const isSentAndMined = steps.some(
      ({ event }) => event.kind === "sent" && event.delivery.kind === "mined",
    );
    const isIneffective = steps.some(({ event }) => event.kind === "ineffective");
    expect(isMined || isSentAndMined || isIneffective).toBe(true);
  }));

test("a recorded failure is amended only by a payment that has arrived", () =>
  holds(({ steps }) => {
    for (const { from } of steps)
      if (from.name === "recording" && from.isAmending) expect(from.outcome.success).toBe(true);
  }));

test.each([
  [null, "none"],
  [{ content: ours, outcome: null }, "pending"],
  [{ content: ours, outcome: paid }, "settled"],
  [{ content: others, outcome: null }, "taken"],
  [{ content: others, outcome: paid }, "taken"],
  [{ content: others, outcome: answer({}) }, "failed"],
])("the record %o is for this payment: %s", (record, is) => {
  const settlement = record && { attempt: 1, transactionId: 1n, ...record };
  expect(standingOf(settlement, ours).kind).toBe(is);
});
