import { type Address, getAddress, pad, toHex } from "viem";
import { expect, test } from "vitest";
import type { Caller } from "#offchain/core/call/caller.ts";
import { openChainFacts } from "#offchain/features/overview/chainFacts.ts";
import { listWallets, type WalletOptions } from "#offchain/features/overview/wallets.ts";
import type { ChainStatus } from "#offchain/platform/chain/port.ts";

const numbered = (index: number): Address => getAddress(pad(toHex(index), { size: 20 }));
const [treasury, usdc, operator, owner] = [1, 2, 3, 4].map(numbered) as [Address, Address, Address, Address];
const anonymous: Caller = { role: "anonymous" };

/** So many agents, ids from 1; whoever is asked for an account has one with 5 USDC. */
function world(agents: number) {
  const calls = { multicall: 0, treasury: 0, budgets: 0, accounts: [] as string[] };
  const status = { runId: 1n, head: 5n, indexedTo: 5n };
  const agentAt = (id: number) => ({ address: numbered(1_000 + id), name: `Agent ${id}`, role: "seller" });
  const facts = openChainFacts({
    client: {
      multicall: async ({ contracts }: { contracts: readonly unknown[] }) => {
        calls.multicall += 1;
        return contracts.map((_, at) => BigInt(at));
      },
    } as never,
    view: { status: () => status as unknown as ChainStatus },
    clock: { now: () => 1_000 },
    usdc,
    treasury: {
      show: async () => {
        calls.treasury += 1;
        return { owners: [owner] };
      },
      heldBudgets: async () => {
        calls.budgets += 1;
        return [];
      },
    } as never,
  });
  const options = {
    facts,
    tokens: {
      amountOf: (token: string, base: bigint) => ({ amount: `${base}`, unit: "T", token, known: true }),
    },
    agents: {
      get: async (address: Address) => {
        const id = Number(BigInt(address)) - 1_000;
        return id > 0 && id <= agents ? agentAt(id) : null;
      },
      list: async ({ cursor = 0n, limit }: { cursor?: bigint; limit: number }) => {
        const from = Number(cursor) + 1;
        const items = Array.from({ length: Math.max(0, Math.min(limit, agents - from + 1)) }, (_, at) =>
          agentAt(from + at),
        );
        return { items, next: items.length === limit ? String(from + limit - 1) : null };
      },
    },
    ledger: {
      accounts: async (names: readonly string[]) => {
        calls.accounts.push(...names);
        return names
          .filter((name) => name.startsWith("agent:") && name === name.toLowerCase())
          .map((name) => ({ name, unit: "USDC", balance: 5_000_000n, pending: 0n, incoming: 0n }));
      },
    },
    figures: { parties: async () => new Map(), channelAccounts: async () => [] },
    clearing: { currentCredits: async () => new Map() },
    runId: () => 1n,
    addresses: { treasury, usdc },
    operator,
  } as unknown as WalletOptions;
  return {
    calls,
    status,
    list: (query: Parameters<typeof listWallets>[0], caller = anonymous) =>
      listWallets(query, caller, options),
  };
}

test.each([1, 2, 3, 7, 100])(
  "pages of %i name every account once, the service's own first",
  async (limit) => {
    const { list } = world(20);
    const names: string[] = [];
    for (let cursor: bigint | undefined; ; ) {
      const { items, next } = await list({ cursor, limit });
      expect(items.length).toBeLessThanOrEqual(limit);
      names.push(...items.map(({ name }) => name));
      if (next === null) break;
      cursor = BigInt(next);
    }
    const agents = Array.from({ length: 20 }, (_, at) => `Agent ${at + 1}`);
    expect(names).toEqual(["Treasury", "Operator", "Owner 1", ...agents]);
  },
);

test("a page asks the chain once while its head stands, however many agents there are and whoever asks", async () => {
  const { calls, status, list } = world(5_000);
  await Promise.all(Array.from({ length: 50 }, () => list({ limit: 100 })));
  expect(calls).toMatchObject({ multicall: 1, treasury: 1, budgets: 1 });
  const { items } = await list({ cursor: 3_000n, limit: 100 });
  expect(items).toHaveLength(100);
  expect(items[1]?.onChain.map(({ amount }) => amount)).toEqual(["2", "3"]);
  expect(calls).toMatchObject({ multicall: 2, treasury: 1, budgets: 1 });
  status.head += 1n;
  await list({ limit: 100 });
  expect(calls).toMatchObject({ multicall: 3, treasury: 2, budgets: 2 });
});

test("one account is found by its address, on whichever page it stands", async () => {
  const { list } = world(500);
  expect(await list({ address: numbered(1_400), limit: 50 })).toMatchObject({
    items: [{ name: "Agent 400", kind: "agent" }],
    next: null,
  });
  expect((await list({ address: owner, limit: 50 })).items.map(({ kind }) => kind)).toEqual(["owner"]);
  expect(await list({ address: numbered(9_999), limit: 50 })).toEqual({ items: [], next: null });
});

test("ledger balances are shown to their owner and to the operator, and to nobody else", async () => {
  const { calls, list } = world(3);
  const shown = async (caller?: Caller) =>
    (await list({ limit: 50 }, caller)).items.map(
      ({ ledger }) => ledger?.map(({ balance }) => balance.amount) ?? null,
    );
  expect(await shown()).toEqual([null, null, null, null, null, null]);
  expect(calls.accounts).toEqual([]);
  expect(await shown({ role: "agent", address: numbered(1_002) })).toEqual([
    null,
    null,
    null,
    null,
    ["5"],
    null,
  ]);
  expect(calls.accounts.every((name) => name.toLowerCase().endsWith(numbered(1_002).toLowerCase()))).toBe(
    true,
  );
  expect(await shown({ role: "operator" })).toEqual(Array.from({ length: 6 }, () => ["5"]));
});
