import { expect, it, vi } from "vitest";
import { createHealth, type HealthCheck } from "#offchain/platform/observe/health.ts";

const clock = { now: () => 5_000 };
const reportOf = (checks: Record<string, HealthCheck>, timeoutMs = 1_000) =>
  createHealth({ clock, timeoutMs, checks }).report();

it("is ok with every check's figures when all work", async () => {
  const report = await reportOf({ database: async () => ({ detail: { connections: 3 } }) });
  expect(report).toEqual({
    status: "ok",
    isServing: true,
    at: 5_000,
    checks: { database: { status: "ok", latencyMs: 0, detail: { connections: 3 } } },
  });
});

it("is as bad as the worst check", async () => {
  const degraded = async () => ({ status: "degraded" as const });
  const failed = async () => {
    throw new Error("no connection");
  };
  expect((await reportOf({ chain: degraded, database: async () => ({}) })).status).toBe("degraded");
  const report = await reportOf({ chain: degraded, database: failed });
  expect([report.status, report.checks.database?.detail]).toEqual(["failed", { reason: "no connection" }]);
});

it("fails a check that does not answer in time", async () => {
  const report = await reportOf({ chain: () => new Promise(() => {}) }, 20);
  expect(report.checks.chain).toMatchObject({
    status: "failed",
    detail: { reason: "no answer within 20 ms" },
  });
});

it("shares one run between simultaneous callers", async () => {
  let runs = 0;
  const health = createHealth({
    clock,
    timeoutMs: 100,
    checks: {
      database: async () => {
        runs += 1;
        return {};
      },
    },
  });
  await Promise.all([health.report(), health.report()]);
  expect(runs).toBe(1);
});

it("asks once a second at most, however often it is asked", async () => {
  vi.useFakeTimers();
  let runs = 0;
  const checks = { database: async () => ({ detail: { runs: ++runs } }) };
  const health = createHealth({ clock, timeoutMs: 100, checks });
  await health.report();
  vi.advanceTimersByTime(999);
  expect((await health.report()).checks.database?.detail).toEqual({ runs: 1 });
  vi.advanceTimersByTime(1);
  expect((await health.report()).checks.database?.detail).toEqual({ runs: 2 });
  vi.useRealTimers();
});

it("serves while one chain works, and nothing of the whole service has failed", async () => {
  const [works, fails] = [
    async () => ({}),
    async () => {
      throw new Error("no answer");
    },
  ];
  const isServing = async (database: HealthCheck, first: HealthCheck, second: HealthCheck) => {
    const checks = { database, chain: first, "chain 2": second };
    const health = createHealth({ clock, timeoutMs: 1_000, checks, chainOf: { chain: 1, "chain 2": 2 } });
    return (await health.report()).isServing;
  };
  expect([
    await isServing(works, works, works),
    await isServing(works, fails, works),
    await isServing(works, works, fails),
    await isServing(works, fails, fails),
    await isServing(fails, works, works),
  ]).toEqual([true, true, true, false, false]);
});

it("tells no secret, whether a check fails or describes what it saw", async () => {
  const health = createHealth({
    clock: { now: () => 0 },
    timeoutMs: 1_000,
    redact: (text) => text.replaceAll("SECRET", "(redacted)"),
    checks: {
      failing: () => Promise.reject(new Error("POST http://node/SECRET failed")),
      telling: async () => ({ detail: { problem: "429 for SECRET", count: 1 } }),
    },
  });
  const { checks } = await health.report();
  expect(checks.failing?.detail).toEqual({ reason: "POST http://node/(redacted) failed" });
  expect(checks.telling?.detail).toEqual({ problem: "429 for (redacted)", count: 1 });
});
