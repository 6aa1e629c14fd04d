import { expect, test } from "vitest";
import { currentRunId } from "#offchain/features/payments/intake/currentRunId.ts";
import type { ChainStatus } from "#offchain/platform/chain/port.ts";

const view = (runId: bigint, state: ChainStatus["state"] = "live") => ({
  status: (): ChainStatus => ({
    chainId: 5_042_002,
    runId,
    state,
    head: 0n,
    indexedTo: -1n,
    finalTo: -1n,
    lagBlocks: 0,
    lagMs: 0,
    progress: { share: 0, blocksPerSecond: 0, eventsPerSecond: 0, etaMs: null },
    problem: null,
  }),
});

test("nothing is booked before the chain is met: there is no run to book it in", () => {
  expect(() => currentRunId(view(0n))).toThrow(
    expect.objectContaining({
      code: "CHAIN_UNAVAILABLE",
      status: 503,
      remedy: "retry",
      facts: { chainId: 5_042_002 },
    }),
  );
});

test.each(["starting", "backfilling", "live", "degraded", "stopped"] as const)(
  "payments go on in the run that was met last while the chain is %s",
  (state) => {
    expect(currentRunId(view(1n, state))).toBe(1n);
    expect(currentRunId(view(2n ** 62n, state))).toBe(2n ** 62n);
  },
);

test("a chain that is restarted is another run from the next look on", () => {
  let runId = 1n;
  const restarting = { status: () => view(runId).status() };
  expect(currentRunId(restarting)).toBe(1n);
  runId = 2n;
  expect(currentRunId(restarting)).toBe(2n);
});
