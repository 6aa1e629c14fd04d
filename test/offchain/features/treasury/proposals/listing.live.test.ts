import { type Address, getAddress } from "viem";
import { beforeEach, expect, test } from "vitest";
import { openAgents } from "#offchain/features/agents/agents.ts";
import { openNaming } from "#offchain/features/treasury/proposals/naming.ts";
import { Proposals } from "#offchain/features/treasury/proposals/proposals.ts";
import type { Membership } from "#offchain/features/treasury/rules.ts";
import { closeProposals, saveApproval, saveProposal } from "#offchain/features/treasury/store/proposals.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type Books, bookedChainId as chainId, eachWithBooks, hex } from "../../../support/books.ts";

const someone = () => getAddress(hex(20));
const [first, second, third, stranger] = [someone(), someone(), someone(), someone()];
const dayMs = 86_400_000;

let books: Books;
let treasury: Address;
let membership: Membership;
eachWithBooks((opened) => {
  books = opened;
});

beforeEach(() => {
  treasury = someone();
  membership = { owners: [first, second, third], threshold: 2 };
});

/** What is asked of the database, by the beginning of its text. */
function counted(sql: Sql): { sql: Sql; queries: string[] } {
  const queries: string[] = [];
  const watched = new Proxy(sql, {
    apply(target, self, args: [TemplateStringsArray]) {
      if (/^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)/.test(args[0]?.[0] ?? "")) queries.push(args[0][0] ?? "");
      return Reflect.apply(target, self, args);
    },
  });
  return { sql: watched, queries };
}

function open(sql = books.sql): Proposals {
  const clock = { now: () => books.now };
  return new Proposals({
    sql,
    clock,
    chainId,
    contractOf: () => ({ address: treasury, membership: async () => membership }),
    named: openNaming(openAgents(sql, clock, chainId), new Map()),
    known: new Map(),
    treasuries: async () => [treasury],
    tokens: openTokens(new Map(), { symbol: "ETH", decimals: 18 }),
    runId: () => books.runId,
  } as unknown as ConstructorParameters<typeof Proposals>[0]);
}

let nonces = 0n;
async function propose({ deadline = books.now + dayMs, by = [] as string[], state = "open" } = {}) {
  const proposalId = hex(32);
  nonces += 1n;
  await books.sql.begin(async (tx) => {
    await saveProposal(tx, {
      runId: books.runId,
      treasury,
      proposalId,
      proposer: first,
      nonce: nonces,
      deadlineS: BigInt(Math.floor(deadline / 1_000)),
      reference: hex(32),
      calls: [{ to: stranger, value: 1n, data: "0x" }],
      openedAt: books.now,
    });
    for (const owner of by) await saveApproval(tx, { runId: books.runId, proposalId, owner, at: books.now });
    if (state === "executed" || state === "cancelled")
      await closeProposals(tx, books.runId, { proposalId }, { state, at: books.now, transaction: hex(32) });
  });
  return proposalId;
}

test("a page of fifty asks the database as often as a page of five", async () => {
  for (let count = 0; count < 60; count += 1) await propose({ by: [first] });
  await openAgents(books.sql, { now: () => books.now }, chainId).register({
    address: first,
    name: "Ada",
    role: "owner",
  });
  const asked = async (limit: number, state?: "open") => {
    const { sql, queries } = counted(books.sql);
    const page = await open(sql).list({ limit, state });
    expect(page.items).toHaveLength(limit);
    expect(page.items[0]?.proposerName).toBe("Ada");
    return queries.length;
  };
  const few = await asked(5);
  expect(few).toBeGreaterThan(0);
  expect([await asked(50), await asked(5, "open"), await asked(50, "open")]).toEqual([few, few, few]);
});

test("a page of one state is what the rules say of all, page by page", async () => {
  const past = books.now - 1;
  for (const by of [[], [first], [first, second], [first, stranger], [first, second, third]])
    for (const terms of [
      {},
      { deadline: past },
      { deadline: books.now },
      { state: "executed" },
      { state: "cancelled" },
    ])
      await propose({ by, ...terms });
  for (const changed of [
    membership,
    { owners: [first, stranger], threshold: 2 },
    { owners: [third], threshold: 1 },
  ]) {
    membership = changed;
    const proposals = open();
    const all = (await proposals.list({ limit: 100 })).items;
    expect(all).toHaveLength(25);
    for (const state of ["open", "ready", "expired", "executed", "cancelled", "lost"] as const) {
      const found: string[] = [];
      let cursor: bigint | undefined;
      do {
        const page = await proposals.list({ limit: 2, state, cursor });
        found.push(...page.items.map(({ proposalId }) => proposalId));
        cursor = page.next === null ? undefined : BigInt(page.next);
      } while (cursor);
      expect(found, state).toEqual(
        all.filter((proposal) => proposal.state === state).map(({ proposalId }) => proposalId),
      );
    }
  }
});
