import { describe, expect, it } from "vitest";
import type { Footprint } from "#offchain/features/carbon/rules/footprint.ts";
import {
  isSameRequest,
  isTicketId,
  keyOf,
  requireCompletable,
  requireOpen,
  type StoredTicket,
  type Ticket,
  type TicketRequest,
  ticketUnknown,
  withFootprint,
} from "#offchain/features/energy/rules/ticket.ts";
import { hour, owner, request, ticket } from "../given.ts";

const footprint: Footprint & { atp: bigint } = {
  atp: 5_788n,
  energyMillijoules: 3_500_000n,
  co2Micrograms: 340_278n,
  waterMicrolitres: 292n,
  factor: { value: 350_000n, region: "us-east", source: "legacy", year: null, kind: "average" },
};

const completed = (durationMs: number, qualityBps: number): Ticket => {
  const { atp: _, ...figures } = footprint;
  const receipt = { ...figures, ticketId: "t", atp: 5_788n };
  return ticket("t", { state: "completed", result: { durationMs, qualityBps, creditAdp: 1n, receipt } });
};

describe("a ticket's id", () => {
  const id = "00000000-0000-4000-8000-00000000abcd";
  it("is a UUID in lower case, and nothing else", () => {
    expect(isTicketId(id)).toBe(true);
    for (const other of [
      "",
      id.toUpperCase(),
      id.slice(1),
      `${id}0`,
      `${id}\n`,
      ` ${id}`,
      id.replaceAll("-", ""),
      `{${id}}`,
      id.replace("a", "g"),
      `${id}' OR '1'='1`,
    ])
      expect([other, isTicketId(other)]).toEqual([other, false]);
  });
});

describe("a ticket's key", () => {
  it("is never that of another society: no society's id holds a blank", () => {
    expect(keyOf({ society: "a", key: "b" })).not.toBe(keyOf({ society: "ab", key: "" }));
    expect(keyOf({ society: "a", key: "b-c" })).not.toBe(keyOf({ society: "a-b", key: "c" }));
  });
});

describe("the same request", () => {
  const made = ticket("t", { key: "k", createdAt: 7, deadlineAt: 7 + hour });

  it("is the one that the ticket was made by, whenever it is sent", () => {
    expect(isSameRequest(made, request("k"))).toBe(true);
    expect(isSameRequest({ ...made, state: "failed", reserved: 1n }, request("k"))).toBe(true);
  });

  it.each([
    { worker: owner },
    { requester: owner },
    { computeType: "A100" },
    { durationMs: 5_001 },
    { region: "nordic" },
    { profile: "datacenter" },
    { description: "other" },
    { timeoutMs: hour + 1 },
  ] satisfies Partial<TicketRequest>[])("is not one with %o", (change) => {
    expect(isSameRequest(made, request("k", change))).toBe(false);
  });
});

describe("a ticket is open", () => {
  it("until its deadline, that moment included", () => {
    expect(() => requireOpen(ticket("t"), hour)).not.toThrow();
    expect(() => requireOpen(ticket("t"), hour + 1)).toThrow(
      expect.objectContaining({
        code: "TICKET_CLOSED",
        facts: { ticketId: "t", state: "allocated", deadlineAt: hour, now: hour + 1 },
      }),
    );
  });

  it.each(["completed", "failed", "expired"] as const)("not once it is %s", (state) => {
    expect(() => requireOpen(ticket("t", { state }), 0)).toThrow(
      expect.objectContaining({ code: "TICKET_CLOSED", facts: expect.objectContaining({ state }) }),
    );
  });
});

describe("a ticket can be completed", () => {
  const report = { ticketId: "t", durationMs: 5_000, qualityBps: 9_000 };

  it("while it is open", () => {
    const open = ticket("t");
    expect(requireCompletable(open, report, hour)).toBe(open);
    expect(() => requireCompletable(open, report, hour + 1)).toThrow(
      expect.objectContaining({ code: "TICKET_CLOSED" }),
    );
    expect(() => requireCompletable(ticket("t", { state: "failed" }), report, 0)).toThrow(
      expect.objectContaining({ code: "TICKET_CLOSED" }),
    );
  });

  it("again by the same report, even long after its deadline", () => {
    const done = completed(5_000, 9_000);
    expect(requireCompletable(done, report, 100 * hour)).toBe(done);
  });

  it.each([{ durationMs: 5_001 }, { qualityBps: 9_001 }, { qualityBps: 0 }])(
    "but not by another: %o",
    (change) => {
      expect(() => requireCompletable(completed(5_000, 9_000), { ...report, ...change }, 0)).toThrow(
        expect.objectContaining({
          code: "IDEMPOTENCY_CONFLICT",
          facts: { ticketId: "t", durationMs: 5_000, qualityBps: 9_000 },
        }),
      );
    },
  );

  it("only if there is one", () => {
    expect(() => requireCompletable(undefined, report, 0)).toThrow(
      expect.objectContaining({ code: "TICKET_UNKNOWN", facts: { ticketId: "t" } }),
    );
    expect(ticketUnknown("x")).toMatchObject({ status: 404, facts: { ticketId: "x" } });
  });
});

describe("a stored ticket", () => {
  const { result: _, ...open } = ticket("t");
  const stored = (reported: StoredTicket["reported"]): StoredTicket => ({ ...open, reported });
  const reported = { durationMs: 5_000, qualityBps: 9_000, creditAdp: 5_209n };

  it("has a result when it was reported and its footprint is kept", () => {
    const { result } = withFootprint(stored(reported), footprint);
    expect(result).toEqual({ ...reported, receipt: { ...footprint, ticketId: "t" } });
  });

  it("has none otherwise: a footprint alone is no report, and a report alone no receipt", () => {
    expect(withFootprint(stored(null), footprint)).toEqual({ ...open, result: null });
    expect(withFootprint(stored(reported), undefined).result).toBeNull();
  });

  it("shows of the footprint what a receipt says, and nothing else that is kept with it", () => {
    const kept = { ...footprint, computeType: "H100", worker: owner };
    expect(Object.keys(withFootprint(stored(reported), kept).result?.receipt ?? {}).toSorted()).toEqual([
      "atp",
      "co2Micrograms",
      "energyMillijoules",
      "factor",
      "ticketId",
      "waterMicrolitres",
    ]);
  });
});
