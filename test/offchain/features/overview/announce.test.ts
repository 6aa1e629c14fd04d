import { expect, test } from "vitest";
import { Announcer } from "#offchain/features/overview/announce.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { createBus, type StreamEvent } from "#offchain/platform/observe/bus.ts";
import { Rate } from "#offchain/platform/observe/rate.ts";

const clock = { now: () => 1_000 };

function announcing() {
  const told: StreamEvent[] = [];
  const bus = createBus({ run: 1, ringSize: 100 });
  bus.subscribe(({ event }) => told.push(event));
  const state = { batches: [{ batchId: "1", state: "open" }], approvals: 0, indexedTo: 5n };
  const proposalId = `0x${"12".repeat(32)}` as const;
  const announcer = new Announcer({
    bus,
    clock,
    rate: new Rate(clock),
    view: { status: () => ({ head: 9n, indexedTo: state.indexedTo }) } as unknown as ChainView,
    payments: { figures: { recentBatches: async () => state.batches } },
    treasury: { recentProposals: async () => [{ proposalId, state: "open", approvals: state.approvals }] },
  });
  return { announcer, state, told: () => told.splice(0) };
}

test("only what has changed is told, and nothing of what stood there at the start", async () => {
  const { announcer, state, told } = announcing();
  await announcer.announce();
  expect(told().map(({ type }) => type)).toEqual(["block"]);
  await announcer.announce();
  expect(told()).toEqual([]);

  state.batches = [{ batchId: "1", state: "closed" }];
  await announcer.announce();
  expect(told()).toEqual([{ type: "batch", batchId: "1", state: "closed", at: 1_000 }]);
  state.approvals = 1;
  await announcer.announce();
  expect(told(), "an approval, though the proposal stays open").toMatchObject([
    { type: "proposal", state: "open" },
  ]);
});

test("payments are told in sums, each unit by itself", async () => {
  const { announcer, told } = announcing();
  announcer.paid(2, 1_000_000n, "USDC");
  announcer.paid(1, 2n * 10n ** 18n, "AVT");
  announcer.paid(3, 500_000n, "USDC");
  await announcer.announce();
  const [usdc, avt] = told();
  expect(avt).toMatchObject({ type: "payments", count: 1, value: { amount: "2", unit: "AVT" } });
  expect(usdc).toMatchObject({ type: "payments", count: 5, value: { amount: "1.5", unit: "USDC" } });
});
