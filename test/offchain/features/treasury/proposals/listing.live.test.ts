import { type Address, getAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { beforeEach, expect, test } from "vitest";
import { openAgents } from "#offchain/features/agents/agents.ts";
import { openNaming } from "#offchain/features/treasury/proposals/naming.ts";
import { Proposals } from "#offchain/features/treasury/proposals/proposals.ts";
import type { Membership } from "#offchain/features/treasury/rules.ts";
import { deleteApproval, saveApproval } from "#offchain/features/treasury/store/approvals.ts";
import {
  closeNonce,
  proposalFigures,
  reopenNonce,
  saveProposal,
} from "#offchain/features/treasury/store/proposals.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type Books, bookedChainId as chainId, eachWithBooks, hex } from "../../../support/books.ts";
import { chance } from "../../../support/chance.ts";

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
    contractOf: () => ({ address: treasury }),
    membershipOf: async () => membership,
    named: openNaming(openAgents(sql, clock, chainId), new Map()),
    known: new Map(),
    treasuries: async () => [treasury],
    tokens: openTokens(new Map(), { symbol: "ETH", decimals: 18 }),
    runId: () => books.runId,
  } as unknown as ConstructorParameters<typeof Proposals>[0]);
}

const told = () => ({ runId: books.runId, treasury, transaction: hex(32) });
let nonces = 0n;
const newNonce = () => {
  nonces += 1n;
  return nonces;
};
async function propose({
  deadline = books.now + dayMs,
  by = [] as string[],
  state = "open",
  nonce = newNonce(),
} = {}) {
  const proposalId = hex(32);
  await books.sql.begin(async (tx) => {
    await saveProposal(tx, {
      runId: books.runId,
      treasury,
      proposalId,
      proposer: first,
      nonce,
      deadlineS: BigInt(Math.floor(deadline / 1_000)),
      reference: hex(32),
      calls: [{ to: stranger, value: 1n, data: "0x" }],
      openedAt: books.now,
      openedBy: hex(32),
    });
    for (const owner of by) await saveApproval(tx, { ...told(), proposalId, owner }, books.now);
    if (state === "executed" || state === "cancelled")
      await closeNonce(
        tx,
        { ...told(), nonce },
        { executed: state === "executed" ? proposalId : null, at: books.now },
      );
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
  const random = chance();
  const everybody = [first, second, third, stranger];
  for (let count = 0; count < 40; count += 1)
    await propose({
      by: everybody.filter(() => random.below(2) === 0),
      deadline: books.now + (random.below(5) - 2) * 500,
      // Some under a nonce that an earlier one has used.
      nonce: random.below(4) === 0 ? nonces : newNonce(),
      state: ["open", "open", "open", "executed", "cancelled"][random.below(5)] ?? "open",
    });
  for (const changed of [
    membership,
    { owners: [first, stranger], threshold: 2 },
    { owners: [third], threshold: 1 },
  ]) {
    membership = changed;
    const proposals = open();
    const all = (await proposals.list({ limit: 100 })).items;
    expect(all).toHaveLength(65);
    for (const state of ["open", "ready", "expired", "executed", "cancelled", "lost"] as const) {
      const found: string[] = [];
      let cursor: bigint | undefined;
      do {
        const page = await proposals.list({ limit: 7, state, cursor });
        found.push(...page.items.map(({ proposalId }) => proposalId));
        cursor = page.next === null ? undefined : BigInt(page.next);
      } while (cursor);
      expect(found, state).toEqual(
        all.filter((proposal) => proposal.state === state).map(({ proposalId }) => proposalId),
      );
    }
  }
});

test("once its nonce is used by another proposal a proposal is closed, and open again when that is taken back", async () => {
  const nonce = newNonce();
  const executed = await propose({ nonce, by: [first, second] });
  const sibling = await propose({ nonce, by: [first] });
  const ready = await propose({ nonce, by: [second, third] });
  const other = await propose({ by: [first, second] });
  const proposals = open();
  const all = async () => (await proposals.list({ limit: 100 })).items;
  const figures = await proposalFigures(books.sql, chainId, books.now);
  expect(figures.waiting, "what an earlier run of the chain left open waits no more").toBe(4);
  const before = [await all(), figures];

  const used = { ...told(), nonce };
  await books.begin((tx) => closeNonce(tx, used, { executed, at: books.now }));
  const late = await propose({ nonce, by: [first, second] });
  const states = Object.fromEntries((await all()).map(({ proposalId, state }) => [proposalId, state]));
  expect(states).toEqual({
    [executed]: "executed",
    [sibling]: "cancelled",
    [ready]: "cancelled",
    [late]: "cancelled",
    [other]: "ready",
  });
  expect(await proposalFigures(books.sql, chainId, books.now)).toEqual({
    waiting: 1,
    executed: figures.executed + 1,
  });
  await expect(proposals.approve(sibling, second, "0x")).rejects.toMatchObject({ code: "PROPOSAL_CLOSED" });
  await expect(proposals.execute(ready)).rejects.toMatchObject({ code: "PROPOSAL_CLOSED" });

  await books.begin((tx) => reopenNonce(tx, used));
  await books.sql`DELETE FROM proposal WHERE proposal_id = ${bytesOf(late)}`;
  expect([await all(), await proposalFigures(books.sql, chainId, books.now)]).toEqual(before);
});

test("an approval on the chain that a reorganisation drops leaves the signature that was handed in", async () => {
  const owner = privateKeyToAccount(generatePrivateKey());
  membership = { owners: [first, owner.address], threshold: 2 };
  const proposalId = await propose({ by: [first] });
  const signature = await owner.sign({ hash: proposalId });
  const proposals = open();
  const signed = await proposals.approve(proposalId, owner.address, signature);
  expect(signed).toMatchObject({ state: "ready", quorum: expect.arrayContaining([signature]) });

  const approval = { ...told(), proposalId, owner: owner.address };
  await books.begin((tx) => saveApproval(tx, approval, books.now));
  const approved = await proposals.find(proposalId);
  expect(approved?.quorum, "on the chain: the address alone").toContain(owner.address);
  await books.begin((tx) => saveApproval(tx, { ...approval, transaction: hex(32) }, books.now));
  await books.begin((tx) => deleteApproval(tx, { ...approval, transaction: hex(32) }));
  expect(await proposals.find(proposalId), "approved again, and that taken back").toEqual(approved);

  await books.begin((tx) => deleteApproval(tx, approval));
  expect(await proposals.find(proposalId)).toEqual(signed);
});

test("another Treasury's word about a proposal changes nothing", async () => {
  const proposalId = await propose({ by: [first] });
  const nonce = nonces;
  const before = await open().find(proposalId);
  const other = { ...told(), treasury: someone() };
  await books.begin(async (tx) => {
    await saveApproval(tx, { ...other, proposalId, owner: second }, books.now);
    await closeNonce(tx, { ...other, nonce }, { executed: proposalId, at: books.now });
  });
  expect(await open().find(proposalId)).toEqual(before);
});
