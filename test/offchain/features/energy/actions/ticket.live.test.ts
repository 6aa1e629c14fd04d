import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import type { Action } from "#offchain/core/action.ts";
import type { Caller } from "#offchain/core/call/caller.ts";
import { allocate } from "#offchain/features/energy/actions/allocate.ts";
import { charge } from "#offchain/features/energy/actions/charge.ts";
import { complete } from "#offchain/features/energy/actions/complete.ts";
import { fail } from "#offchain/features/energy/actions/fail.ts";
import { issueAdp } from "#offchain/features/energy/actions/issue.ts";
import { listPools } from "#offchain/features/energy/actions/pool.ts";
import { registerSource } from "#offchain/features/energy/actions/source.ts";
import { showTicket } from "#offchain/features/energy/actions/ticket.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import { day, type EnergyWorld, openEnergyWorld, owner, requester, week, worker } from "../energyWorld.ts";

let opened: EnergyWorld;
let energy: Energy;
beforeAll(async () => {
  opened = await openEnergyWorld();
  energy = opened.energy;
});
afterAll(async () => {
  await opened.close();
});

const operator: Caller = { role: "operator" };
const as = (address: `0x${string}`): Caller => ({ role: "agent", address });

/** Calls as a door does: input parsed, output checked against the declared shape. */
async function call<Input extends z.ZodType, Output extends z.ZodType>(
  { input, output, run }: Pick<Action<Energy, Input, Output>, "input" | "output" | "run">,
  caller: Caller,
  sent: z.input<Input>,
): Promise<z.output<Output>> {
  return output.parse(await run(energy, caller, input.parse(sent)));
}

const solar = (serial: string) => ({
  kind: "solar" as const,
  method: "hardware query",
  provenAt: opened.clock.at,
  ratedWatts: "300",
  degradationBps: 9_500,
  serial,
});

async function openPool(society: string): Promise<void> {
  await call(issueAdp, operator, { key: "first", society, owner, adp: "1000" });
  await call(registerSource, as(owner), { society, proof: solar(society) });
}

const ticketFor = (society: string, key: string) => ({
  key,
  society,
  worker,
  requester,
  computeType: "H100" as const,
  durationMs: 5_000,
  region: "us-east" as const,
});

describe("energy, from sunlight to a receipt", () => {
  it("goes through every verb", async () => {
    const society = "sunny";
    expect(await call(issueAdp, operator, { key: "i", society, owner, adp: "1000" })).toEqual({
      society,
      owner,
      adp: { amount: "1000", unit: "ADP" },
      createdAt: opened.clock.at,
    });
    expect(await call(registerSource, as(owner), { society, proof: solar("XYZ") })).toEqual({
      id: "solar:XYZ",
      society,
      kind: "solar",
      effectiveWatts: "285",
      provenAt: opened.clock.at,
      lapsesAt: opened.clock.at + 30 * day,
    });
    const lot = await call(charge, as(owner), { key: "c", society, source: "solar:XYZ", atp: "285" });
    expect(lot).toMatchObject({
      available: { amount: "285", unit: "ATP" },
      expiresAt: opened.clock.at + week,
    });
    const { id } = await call(allocate, as(owner), ticketFor(society, "t"));
    const done = await call(complete, as(requester), { ticketId: id, durationMs: 5_000 });
    expect(done.result?.receipt).toEqual({
      ticketId: id,
      atp: { amount: "0.005788", unit: "ATP" },
      energyMillijoules: "3500000",
      co2Micrograms: "340278",
      waterMicrolitres: "292",
      factor: { value: "350000", region: "us-east", source: "legacy", year: null, kind: "average" },
    });
    expect(await call(showTicket, { role: "anonymous" }, { ticketId: id })).toEqual(done);
    const other = await call(allocate, as(owner), ticketFor(society, "u"));
    const failed = await call(fail, as(worker), { ticketId: other.id, reason: "no GPU" });
    expect(failed).toMatchObject({ state: "failed", reason: "no GPU", result: null });
    const { items, next } = await call(listPools, { role: "anonymous" }, { society });
    expect(next).toBeNull();
    expect(items).toMatchObject([
      {
        society,
        owner,
        issued: { amount: "1000", unit: "ADP" },
        capacityWatts: "285",
        adp: { amount: "715.005788", unit: "ADP" },
        atp: { amount: "284.994212", unit: "ATP" },
        reserved: { amount: "0" },
        expired: { amount: "0" },
        consumed: { amount: "0.005788" },
        wasteBps: 0,
        isOvercommitted: false,
        sources: [{ id: "solar:XYZ", effectiveWatts: "285" }],
        lots: [{ id: lot.id }],
        wasteAlerts: [],
      },
    ]);
  });

  it("pages through pools", async () => {
    await openPool("page-a");
    await openPool("page-b");
    const first = await call(listPools, operator, { limit: 1 });
    expect(first.items).toHaveLength(1);
    const rest = await call(listPools, operator, { limit: 200, cursor: first.next ?? "" });
    expect(rest.items.map(({ society }) => society)).not.toContain(first.items[0]?.society);
    expect(rest.next).toBeNull();
  });
});

describe("only", () => {
  const forbidden = { code: "FORBIDDEN" };

  it("the owner and the operator prove, charge and allocate", async () => {
    await openPool("guarded");
    const society = "guarded";
    const source = `solar:${society}`;
    await expect(call(registerSource, as(worker), { society, proof: solar("W") })).rejects.toMatchObject(
      forbidden,
    );
    const charging = { key: "c", society, source, atp: "1" };
    await expect(call(charge, as(worker), charging)).rejects.toMatchObject(forbidden);
    await expect(call(allocate, as(worker), ticketFor(society, "t"))).rejects.toMatchObject(forbidden);
    await call(charge, operator, charging);
    await call(allocate, operator, ticketFor(society, "t"));
  });

  it("the requester and the owner judge work; the worker may only give it up", async () => {
    await openPool("judged");
    await call(charge, operator, { key: "c", society: "judged", source: "solar:judged", atp: "1" });
    const { id } = await call(allocate, operator, ticketFor("judged", "t"));
    await expect(call(complete, as(worker), { ticketId: id, durationMs: 1 })).rejects.toMatchObject(
      forbidden,
    );
    await call(fail, as(worker), { ticketId: id, reason: "ill" });
  });

  it("the requester reports no more work than energy was reserved for; the owner may", async () => {
    await openPool("bounded");
    await call(charge, operator, { key: "c", society: "bounded", source: "solar:bounded", atp: "100" });
    const { id, durationMs } = await call(allocate, as(owner), ticketFor("bounded", "t"));
    const [before] = (await call(listPools, operator, { society: "bounded" })).items;
    const longer = { ticketId: id, durationMs: durationMs + 1 };
    await expect(call(complete, as(requester), longer)).rejects.toMatchObject({
      code: "FORBIDDEN",
      facts: { reservedMs: durationMs, gotMs: durationMs + 1 },
      fields: [{ field: "durationMs" }],
    });
    expect((await call(listPools, operator, { society: "bounded" })).items, "nothing was used up").toEqual([
      before,
    ]);
    expect(await call(complete, as(owner), longer)).toMatchObject({ state: "completed" });
    const other = await call(allocate, as(owner), ticketFor("bounded", "u"));
    const done = await call(complete, as(requester), { ticketId: other.id, durationMs });
    expect(done).toMatchObject({ state: "completed" });
  });

  it("a known society and a known ticket can be asked for", async () => {
    const nowhere = { key: "c", society: "nowhere", source: "solar:x", atp: "1" };
    await expect(call(charge, operator, nowhere)).rejects.toMatchObject({ code: "SOCIETY_UNKNOWN" });
    const ticketId = "00000000-0000-4000-8000-000000000000";
    await expect(call(showTicket, operator, { ticketId })).rejects.toMatchObject({ code: "TICKET_UNKNOWN" });
  });
});

describe("a proof that breaks a rule", () => {
  it("is refused by the field and the figure that were sent", async () => {
    await openPool("strict");
    const proof = { ...solar("S"), ratedWatts: "0", degradationBps: 4_000, provenAt: opened.clock.at + 1 };
    await expect(call(registerSource, operator, { society: "strict", proof })).rejects.toMatchObject({
      code: "CAPACITY_PROOF_INVALID",
      fields: [
        { field: "proof.ratedWatts", value: "0" },
        { field: "proof.degradationBps", value: 4_000 },
        { field: "proof.provenAt" },
      ],
    });
  });

  it.each([
    { kind: "compute", idleWatts: "50", tdpWatts: "450", utilisationBps: 8_000, deviceId: "D" },
    { kind: "grid", allocatedWatts: "370", meterId: "M", accountId: "1", peakFactorBps: 10_000 },
    { kind: "human", metabolicWatts: "185", minutesPerDay: 480, skillBps: 20_000, laborerId: "L" },
    { kind: "battery", maxDischargeWatts: "370", chargeWattHours: "1", capacityWattHours: "2", serial: "B" },
  ] as const)("but %o is taken", async (kind) => {
    const society = "kinds";
    await openPool(society);
    const proof = { method: "query", provenAt: opened.clock.at, ...kind };
    expect(await call(registerSource, operator, { society, proof })).toMatchObject({ effectiveWatts: "370" });
  });
});

describe("bad input", () => {
  const ticketId = "00000000-0000-4000-8000-000000000000";
  const good = {
    charge: { key: "k", society: "s", source: "grid:m", atp: "1" },
    allocate: ticketFor("s", "k"),
    complete: { ticketId, durationMs: 1 },
    fail: { ticketId, reason: "r" },
    issue: { key: "k", society: "s", adp: "1" },
    proof: {
      kind: "grid",
      method: "m",
      provenAt: 1,
      allocatedWatts: "1",
      meterId: "m",
      accountId: "1",
      peakFactorBps: 1,
    },
  };

  it.each<[string, z.ZodType, Record<string, unknown>]>([
    ["key", charge.input, { ...good.charge, key: "" }],
    ["key", charge.input, { ...good.charge, key: "x".repeat(129) }],
    ["society", charge.input, { ...good.charge, society: "No Blanks" }],
    ["source", charge.input, { ...good.charge, source: "" }],
    ["atp", charge.input, { ...good.charge, atp: "0" }],
    ["atp", charge.input, { ...good.charge, atp: "-1" }],
    ["atp", charge.input, { ...good.charge, atp: "0.0000001" }],
    ["atp", charge.input, { ...good.charge, atp: 1 }],
    ["lifetimeMs", charge.input, { ...good.charge, lifetimeMs: 0 }],
    ["lifetimeMs", charge.input, { ...good.charge, lifetimeMs: 1.5 }],
    ["worker", allocate.input, { ...good.allocate, worker: "0x1" }],
    ["requester", allocate.input, { ...good.allocate, requester: "me" }],
    ["computeType", allocate.input, { ...good.allocate, computeType: "H200" }],
    ["durationMs", allocate.input, { ...good.allocate, durationMs: 0 }],
    ["durationMs", allocate.input, { ...good.allocate, durationMs: 31_536_000_001 }],
    ["region", allocate.input, { ...good.allocate, region: "moon" }],
    ["profile", allocate.input, { ...good.allocate, profile: "green" }],
    ["description", allocate.input, { ...good.allocate, description: "x".repeat(501) }],
    ["timeoutMs", allocate.input, { ...good.allocate, timeoutMs: 0 }],
    ["ticketId", complete.input, { ...good.complete, ticketId: "7" }],
    ["durationMs", complete.input, { ...good.complete, durationMs: -1 }],
    ["qualityBps", complete.input, { ...good.complete, qualityBps: 10_001 }],
    ["ticketId", fail.input, { ...good.fail, ticketId: "" }],
    ["reason", fail.input, { ...good.fail, reason: "" }],
    ["owner", issueAdp.input, { ...good.issue, owner: "0x0" }],
    ["adp", issueAdp.input, { ...good.issue, adp: "1e3" }],
    ["society", listPools.input, { society: "?" }],
    ["limit", listPools.input, { limit: "201" }],
    ["proof.kind", registerSource.input, { society: "s", proof: { ...good.proof, kind: "wind" } }],
    [
      "proof.allocatedWatts",
      registerSource.input,
      { society: "s", proof: { ...good.proof, allocatedWatts: "1W" } },
    ],
    ["proof.meterId", registerSource.input, { society: "s", proof: { ...good.proof, meterId: "a b" } }],
    [
      "proof.peakFactorBps",
      registerSource.input,
      { society: "s", proof: { ...good.proof, peakFactorBps: 10_001 } },
    ],
    ["proof.provenAt", registerSource.input, { society: "s", proof: { ...good.proof, provenAt: -1 } }],
    ["proof.method", registerSource.input, { society: "s", proof: { ...good.proof, method: "" } }],
  ])("in %s is refused there and only there", (field, schema, sent) => {
    const parsed = schema.safeParse(sent);
    expect(parsed.success).toBe(false);
    expect(new Set(parsed.error?.issues.map(({ path }) => path.join(".")))).toEqual(new Set([field]));
  });
});
