import { expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { cast } from "#offchain/demo/cast.ts";
import { runEconomy } from "#offchain/demo/economy.ts";
import { stepAt } from "#offchain/demo/plan.ts";
import type { Agent } from "#offchain/sdk/agent.ts";
import type { States } from "#offchain/sdk/states.ts";

interface Paid {
  key: string;
  amount: string;
  payee?: string;
  ticketId?: string;
}

/**
 * Agents in memory: the subject is the order and the number of what the economy does. What they have paid and what was
 * saved outlives a run of the economy, as the service and the files do.
 */
function town(settlement: "cleared" | "direct" = "cleared") {
  const saved = new Map<string, unknown>();
  const paid = new Map<string, Paid[]>();
  const lastKeys = new Map<string, string>();
  const worked = new Map<string, number>();
  const asked: string[] = [];
  const trouble = { overDepositAt: "", energyAt: "", onPay: (_count: number) => {} };
  const toppedUp: number[] = [];
  const charged: string[] = [];
  const states: States = {
    load: async (name) => saved.get(name) ?? null,
    save: async (name, state) => void saved.set(name, state),
  };
  const total = () => [...paid.values()].reduce((sum, list) => sum + list.length, 0);
  const owner = {
    source: async () => ({}),
    charge: async ({ key }: { key: string }) => void charged.push(key),
  };
  const agentAt = (payer: number) => ({
    address: `0x${payer}`,
    client: { energy: owner },
    async openChannel({ payee }: { payee: string }) {
      const channelId = `${payer}-${payee}`;
      const list = paid.get(channelId) ?? [];
      paid.set(channelId, list);
      return {
        channelId,
        get lastKey() {
          return lastKeys.get(channelId) ?? null;
        },
        async pay(payment: Paid) {
          await new Promise((resolve) => setImmediate(resolve));
          if (trouble.overDepositAt && payment.key.endsWith(`-${trouble.overDepositAt}`)) {
            trouble.overDepositAt = "";
            throw new BursarError("VOUCHER_OVER_DEPOSIT", "empty");
          }
          if (lastKeys.get(channelId) !== payment.key) list.push(payment);
          lastKeys.set(channelId, payment.key);
          trouble.onPay(total());
        },
      };
    },
    topUp: async (_: unknown, count: number) => void toppedUp.push(count),
    async spend({ key, amount }: { key: string; amount: string }) {
      asked.push(key);
      if (Number(amount) < 100) throw new BursarError("TRANSACTION_REVERTED", "used up");
      return { outcome: "proposed" };
    },
    async work({ key, run }: { key: string; run: () => number }) {
      if (trouble.energyAt && key.endsWith(`-${trouble.energyAt}`)) {
        trouble.energyAt = "";
        throw new BursarError("ENERGY_INSUFFICIENT", "dark");
      }
      worked.set(key, run());
      return { id: `ticket-${key}` };
    },
  });
  const agents = cast.map((_, index) => agentAt(index)) as unknown as Agent[];
  const run = (payments: number | null, signal = new AbortController().signal) =>
    runEconomy({
      agents,
      states,
      seed: 1,
      life: "life",
      settlement,
      rate: 0,
      payments,
      power: {
        owner: { energy: owner },
        ownerAddress: "0x6",
        operator: null,
        society: "demo",
        life: "life",
        now: () => 1,
        signal,
      } as unknown as Parameters<typeof runEconomy>[0]["power"],
      signal,
      onProgress: () => {},
    });
  return { run, paid, worked, asked, trouble, toppedUp, charged, saved, total };
}

const indexOf = ({ key }: Paid) => Number(key.split("-").at(-1));

it("pays every step of the plan once, in its price, for work with a ticket", async () => {
  const { run, paid, worked } = town();
  const progress = await run(300);
  const all = [...paid.values()].flat().sort((one, other) => indexOf(one) - indexOf(other));
  expect(all.map(indexOf)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  for (const payment of all) {
    const { amount, durationMs } = stepAt(1, indexOf(payment));
    expect([payment.amount, payment.ticketId]).toEqual([amount, `ticket-${payment.key}`]);
    expect(worked.get(payment.key)).toBe(durationMs);
  }
  expect(progress).toMatchObject({ payments: 300, payers: 8, payees: 8, proposalsAsked: 1 });
});

it("pays everybody from one deposit, or each partner by a channel of its own", async () => {
  const [cleared, direct] = [town("cleared"), town("direct")];
  await Promise.all([cleared.run(300), direct.run(300)]);
  expect([cleared.paid.size, direct.paid.size]).toEqual([cast.length, 3 * cast.length]);
  for (const [channelId, list] of [...cleared.paid, ...direct.paid])
    for (const payment of list) {
      const { payer, payee } = stepAt(1, indexOf(payment));
      expect(payment.payee).toBe(`0x${payee}`);
      expect([`${payer}-undefined`, `${payer}-0x${payee}`]).toContain(channelId);
    }
});

it.each(["cleared", "direct"] as const)("keeps the plan's order within each %s channel", async (way) => {
  const { run, paid } = town(way);
  await run(300);
  for (const list of paid.values()) {
    const order = list.map(indexOf);
    expect(order).toEqual([...order].sort((one, other) => one - other));
  }
});

it("goes on after it was stopped in the middle, and pays nothing twice", async () => {
  const { run, paid, trouble, total } = town();
  for (const at of [37, 120, 199]) {
    const stopping = new AbortController();
    trouble.onPay = (count) => count >= at && stopping.abort();
    await run(300, stopping.signal);
    expect(total()).toBeLessThan(300);
  }
  trouble.onPay = () => {};
  expect((await run(300)).payments).toBe(300);
  const indexes = [...paid.values()].flat().map(indexOf);
  expect([indexes.length, new Set(indexes).size]).toEqual([300, 300]);
});

it("does nothing more when all is paid", async () => {
  const { run, total } = town();
  await run(50);
  expect([(await run(50)).payments, total()]).toEqual([50, 50]);
});

it("goes on when what was saved last is older than what was paid", async () => {
  const { run, paid, saved } = town();
  await run(100);
  saved.set("progress", { next: 60 });
  await run(200);
  const indexes = [...paid.values()].flat().map(indexOf);
  expect([indexes.length, new Set(indexes).size]).toEqual([200, 200]);
});

it("tops up a channel whose deposit is used up", async () => {
  const { run, trouble, toppedUp, total } = town();
  trouble.overDepositAt = "20";
  expect((await run(50)).topUps).toBe(1);
  expect([toppedUp, total()]).toEqual([[2], 50]);
});

it("charges more ATP when the pool is empty", async () => {
  const { run, trouble, charged, total } = town();
  trouble.energyAt = "20";
  await run(50);
  expect([charged.length, total()]).toEqual([1, 50]);
});

it("takes the Treasury's no for an answer", async () => {
  const { run, asked } = town();
  const progress = await run(301);
  expect([asked.length, progress.proposalsAsked, progress.spendsRefused]).toEqual([2, 1, 1]);
});

it("fails as a whole when a payment is refused for good", async () => {
  const { run, trouble } = town();
  trouble.onPay = (count) => {
    if (count === 10) throw new BursarError("VOUCHER_FORGED", "no");
  };
  await expect(run(50)).rejects.toMatchObject({ code: "VOUCHER_FORGED" });
});
