import { describe, expect, it } from "vitest";
import type { MassFactor, Region } from "#offchain/features/carbon/rules/region.ts";
import { type CompletionPool, decideCompletions } from "#offchain/features/energy/rules/completion.ts";
import { changed } from "#offchain/features/energy/rules/pool.ts";
import type { Completion, Ticket } from "#offchain/features/energy/rules/ticket.ts";
import { hour, lot, netOf, ticket, week } from "../given.ts";

const factorOf = (region: Region): MassFactor => ({
  value: region === "us-east" ? 350_000n : 50_000n,
  region,
  source: "test",
  year: null,
  kind: "average",
});

/** One ticket that holds 5 788 µATP of a week's lot: five seconds of an H100. 100 µATP are free. */
function pool(of: Ticket = ticket("t"), change: Partial<CompletionPool> = {}): CompletionPool {
  const draws = [{ lotId: "1", amount: 5_788n }];
  return {
    tickets: new Map([[of.id, of]]),
    held: new Map([[of.id, { holdId: "hold", draws }]]),
    lots: new Map([["s", [lot("1", { available: 100n, reserved: 5_788n })]]]),
    ...change,
  };
}

const report = (durationMs: number, qualityBps = 10_000, ticketId = "t"): Completion => ({
  ticketId,
  durationMs,
  qualityBps,
});

const decide = (around: CompletionPool, completions: Completion[], now = 10) =>
  decideCompletions(around, completions, factorOf, now);

const codes = ({ outcomes }: ReturnType<typeof decide>) =>
  outcomes.map((one) => (one.ok ? (one.replayed ? "again" : "done") : one.error.code));

describe("completed work", () => {
  it("discharges what it took and is receipted: 5 s of an H100 at 350 g/kWh", () => {
    const { outcomes, done } = decide(pool(), [report(5_000, 9_000)]);
    // 3 500 000 mJ · 350 000 mg/kWh / 3.6e9 mJ · 1 000 = 340 277.8 µg; 0.3 L/kWh make 291.7 µL; 90 % of 5 788.
    expect(outcomes).toMatchObject([
      {
        ok: true,
        replayed: false,
        ticket: {
          state: "completed",
          resolvedAt: 10,
          result: {
            durationMs: 5_000,
            qualityBps: 9_000,
            creditAdp: 5_209n,
            receipt: {
              ticketId: "t",
              atp: 5_788n,
              energyMillijoules: 3_500_000n,
              co2Micrograms: 340_278n,
              waterMicrolitres: 292n,
              factor: { region: "us-east", value: 350_000n },
            },
          },
        },
      },
    ]);
    expect(done).toMatchObject([{ consumed: 5_788n, credit: 5_209n }]);
  });

  it("gives back what it did not need: a second less is a fifth less", () => {
    const [only] = decide(pool(), [report(4_000)]).done;
    // 2 800 J over a week: 4 629.6… µW, rounded up.
    expect(only?.split).toEqual({
      used: [{ lotId: "1", amount: 4_630n }],
      unused: [{ lotId: "1", amount: 1_158n }],
      overrun: [],
    });
    expect(netOf(only?.changes ?? [])).toBe(0n);
    expect(changed(pool().lots.get("s") ?? [], only?.changes ?? [])).toMatchObject([
      { available: 1_258n, reserved: 0n, consumed: 4_630n },
    ]);
  });

  it("that overran is drawn from what is free, and refused by one millisecond more, with nothing moved", () => {
    // 5 888 µW · 604 800 s = 3 561 062.4 mJ: 5 087.2 ms of 700 W.
    const last = decide(pool(), [report(5_087)]);
    expect(codes(last)).toEqual(["done"]);
    expect(last.done[0]?.split.overrun).toEqual([{ lotId: "1", amount: 100n }]);
    const beyond = decide(pool(), [report(5_088)]);
    expect(codes(beyond)).toEqual(["ENERGY_INSUFFICIENT"]);
    expect([beyond.done, beyond.operations]).toEqual([[], []]);
  });

  it("uses what it reserved even when that would have spoiled, and what it leaves has spoiled", () => {
    const open = ticket("t", { deadlineAt: 2 * week });
    const { done, operations } = decide(pool(open), [report(4_000)], week + 1);
    expect(done[0]?.changes.map(({ expired }) => expired)).toEqual([0n, 1_158n]);
    expect(operations).toContainEqual(
      expect.objectContaining({ key: "energy:ticket:t:spoil", credit: "expired:s", amount: 1_158n }),
    );
  });

  it("is counted by the grid of the ticket's region, not of the report", () => {
    const nordic = decide(pool(ticket("t", { region: "nordic" })), [report(5_000)]);
    // A seventh of 340 277.8.
    expect(nordic.done[0]?.footprint.co2Micrograms).toBe(48_611n);
  });

  it("returns to each source what was drawn from it", () => {
    const of = ticket("t");
    const lots = [
      lot("1", { reserved: 5_000n, sourceId: "solar:A" }),
      lot("2", { reserved: 788n, sourceId: "wind:B" }),
    ];
    const draws = lots.map(({ id, reserved }) => ({ lotId: id, amount: reserved }));
    const around = pool(of, {
      held: new Map([["t", { holdId: "hold", draws }]]),
      lots: new Map([["s", lots]]),
    });
    const adp = decide(around, [report(5_000)]).operations.filter(
      (one) => one.kind === "transfer" && one.credit === "society:s",
    );
    expect(adp).toMatchObject([
      { debit: "capacity:solar:A", unit: "ADP", amount: 5_000n },
      { debit: "capacity:wind:B", unit: "ADP", amount: 788n },
    ]);
  });
});

describe("a completion that is sent again", () => {
  it("in the same call discharges once", () => {
    const decided = decide(pool(), [report(5_000), report(5_000)]);
    expect(codes(decided)).toEqual(["done", "again"]);
    expect(decided.done).toHaveLength(1);
    expect(decided.outcomes[1]).toEqual({ ...decided.outcomes[0], replayed: true });
  });

  it("with other figures is a conflict, which says the first ones", () => {
    const { outcomes } = decide(pool(), [report(5_000), report(5_000, 9_999)]);
    expect(outcomes[1]).toMatchObject({
      ok: false,
      error: {
        code: "IDEMPOTENCY_CONFLICT",
        facts: { ticketId: "t", durationMs: 5_000, qualityBps: 10_000 },
      },
    });
  });

  it("after it was refused is decided anew", () => {
    expect(codes(decide(pool(), [report(6_000), report(5_000)]))).toEqual(["ENERGY_INSUFFICIENT", "done"]);
  });
});

describe("a completion", () => {
  it("is refused for an unknown ticket and one that is closed or overdue, and leaves the others alone", () => {
    const around = pool(ticket("t"), {
      tickets: new Map([
        ["t", ticket("t")],
        ["failed", ticket("failed", { state: "failed" })],
        ["late", ticket("late", { deadlineAt: 9 })],
      ]),
    });
    const ids = ["nobody's", "failed", "late", "t"];
    const decided = decide(
      around,
      ids.map((id) => report(5_000, 10_000, id)),
    );
    expect(codes(decided)).toEqual(["TICKET_UNKNOWN", "TICKET_CLOSED", "TICKET_CLOSED", "done"]);
    expect(decided.done.map(({ ticket: { id } }) => id)).toEqual(["t"]);
  });

  it("is taken at the deadline and not a millisecond later", () => {
    expect(codes(decide(pool(), [report(5_000)], hour))).toEqual(["done"]);
    expect(codes(decide(pool(), [report(5_000)], hour + 1))).toEqual(["TICKET_CLOSED"]);
  });

  it("cannot take twice what is free: the first overrun leaves nothing to the second", () => {
    const [one, two] = [ticket("one"), ticket("two")];
    const draws = [{ lotId: "1", amount: 5_788n }];
    const around: CompletionPool = {
      tickets: new Map([
        ["one", one],
        ["two", two],
      ]),
      held: new Map(["one", "two"].map((id) => [id, { holdId: id, draws }])),
      lots: new Map([["s", [lot("1", { available: 100n, reserved: 11_576n })]]]),
    };
    const reports = ["one", "two"].map((id) => report(5_087, 10_000, id));
    const decided = decide(around, reports);
    expect(codes(decided)).toEqual(["done", "ENERGY_INSUFFICIENT"]);
    const [after] = changed(around.lots.get("s") ?? [], decided.done[0]?.changes ?? []);
    expect(after).toMatchObject({ available: 0n, reserved: 5_788n, consumed: 5_888n });
  });
});
