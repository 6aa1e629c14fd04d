import { type Address, getAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { beforeEach, expect, test } from "vitest";
import { openAgents } from "#offchain/features/agents/agents.ts";
import { openNaming } from "#offchain/features/treasury/proposals/naming.ts";
import { Proposals } from "#offchain/features/treasury/proposals/proposals.ts";
import type { Membership } from "#offchain/features/treasury/rules.ts";
import { deleteApproval, saveApproval, saveSignature } from "#offchain/features/treasury/store/approvals.ts";
import {
  closeNonce,
  proposalFigures,
  reopenNonce,
  saveProposal,
} from "#offchain/features/treasury/store/proposals.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { bytesOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { Books, bookedChainId as chainId, eachWithBooks, hex } from "../../../support/books.ts";
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
      threshold: 2,
      reference: hex(32),
      calls: [{ to: stranger, value: 1n, data: "0x" }],
      openedAt: books.now,
      openedBy: hex(32),
      paymentToken: null,
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
    for (const state of [
      "open",
      "ready",
      "expired",
      "executed",
      "superseded",
      "cancelled",
      "outdated",
      "lost",
    ] as const) {
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

test("what owners execute without having opened it is counted among no proposals", async () => {
  const figures = () => proposalFigures(books.sql, books.runId, books.now);
  const before = await figures();
  await books.begin((tx) =>
    closeNonce(tx, { ...told(), nonce: newNonce() }, { executed: hex(32), at: books.now }),
  );
  expect(await figures()).toEqual(before);
});

test("once its nonce is used by another proposal a proposal is closed, and open again when that is taken back", async () => {
  const nonce = newNonce();
  const executed = await propose({ nonce, by: [first, second] });
  const sibling = await propose({ nonce, by: [first] });
  const ready = await propose({ nonce, by: [second, third] });
  const other = await propose({ by: [first, second] });
  const proposals = open();
  const all = async () => (await proposals.list({ limit: 100 })).items;
  const figures = await proposalFigures(books.sql, books.runId, books.now);
  expect(figures.waiting, "what an earlier run of the chain left open waits no more").toBe(4);
  const before = [await all(), figures];

  const used = { ...told(), nonce };
  await books.begin((tx) => closeNonce(tx, used, { executed, at: books.now }));
  const late = await propose({ nonce, by: [first, second] });
  const states = Object.fromEntries((await all()).map(({ proposalId, state }) => [proposalId, state]));
  expect(states).toEqual({
    [executed]: "executed",
    [sibling]: "superseded",
    [ready]: "superseded",
    [late]: "superseded",
    [other]: "ready",
  });
  expect(await proposalFigures(books.sql, books.runId, books.now)).toEqual({
    waiting: 1,
    executed: figures.executed + 1,
  });
  for (const proposalId of [sibling, ready, late])
    expect(await proposals.find(proposalId)).toMatchObject({
      supersededBy: { proposalId: executed, known: true },
      transactionHash: used.transaction,
      executedAt: null,
    });
  await expect(proposals.approve(sibling, second, "0x")).rejects.toMatchObject({ code: "PROPOSAL_CLOSED" });
  await expect(proposals.execute(ready)).rejects.toMatchObject({ code: "PROPOSAL_CLOSED" });

  await books.begin((tx) => reopenNonce(tx, used));
  await books.sql`DELETE FROM proposal WHERE proposal_id = ${bytesOf(late)}`;
  expect([await all(), await proposalFigures(books.sql, books.runId, books.now)]).toEqual(before);
});

/** A proposal in a run of the chain that has ended since, with two owners' signatures and that of a transaction. */
async function proposeBeforeRestart(terms: { state?: string; nonce?: bigint } = {}) {
  const proposalId = await propose({ by: [first], ...terms });
  for (const owner of [second, third])
    await saveSignature(
      books.sql,
      { runId: books.runId, proposalId, owner, signature: hex(65), at: books.now },
      null,
    );
  books = await Books.open(books.sql);
  return proposalId;
}

test("nothing by which a proposal of an earlier run could be executed is told to anybody", async () => {
  const proposalId = await proposeBeforeRestart();
  const proposals = open();
  const found = await proposals.find(proposalId);
  expect(found).toMatchObject({ state: "lost", unfollowed: true, quorum: null, missing: [] });
  expect(found?.approvals.map(({ owner }) => owner).toSorted()).toEqual([first, second, third].toSorted());
  for (const view of [found, ...(await proposals.list({ limit: 5 })).items])
    for (const approval of view?.approvals ?? [])
      expect(approval, "who, and not how").toMatchObject({ signature: null, consent: null });
});

test.each(["open", "executed", "cancelled"])(
  "a proposal that an earlier run left %s, executed in this one, is told as executed, with its transaction",
  async (state) => {
    const proposalId = await proposeBeforeRestart({ state });
    const proposals = open();
    const before = await proposals.find(proposalId);
    expect(before).toMatchObject({ state: state === "open" ? "lost" : state, unfollowed: true });
    const figures = () => proposalFigures(books.sql, books.runId, books.now);
    expect(await figures()).toEqual({ waiting: 0, executed: 0 });

    const used = { ...told(), nonce: nonces };
    await books.begin((tx) => closeNonce(tx, used, { executed: proposalId, at: books.now + 7 }));
    expect(await proposals.find(proposalId)).toMatchObject({
      state: "executed",
      unfollowed: false,
      transactionHash: used.transaction,
      executedAt: books.now + 7,
    });
    expect(await figures()).toEqual({ waiting: 0, executed: 1 });
    expect((await proposals.list({ limit: 5, state: "executed" })).items).toHaveLength(1);

    await books.begin((tx) => reopenNonce(tx, used));
    expect(await proposals.find(proposalId)).toEqual(before);
    await books.begin((tx) => closeNonce(tx, used, { executed: null, at: books.now }));
    const rejected = await proposals.find(proposalId);
    expect(rejected, "its nonce is used up now").toMatchObject({ state: "cancelled", unfollowed: false });
  },
);

test("what was executed between two restarts was executed, and can be again", async () => {
  const proposalId = await proposeBeforeRestart();
  const used = { ...told(), nonce: nonces };
  await books.begin((tx) => closeNonce(tx, used, { executed: proposalId, at: books.now }));
  books = await Books.open(books.sql);
  expect(await open().find(proposalId)).toMatchObject({ state: "executed", unfollowed: true });
});

test("one that is opened again in this run is told once, as what it is here", async () => {
  const proposalId = await proposeBeforeRestart();
  const [earlier] = await books.sql<{ run_id: bigint }[]>`
    SELECT run_id FROM proposal WHERE proposal_id = ${bytesOf(proposalId)}`;
  await books.sql`
    INSERT INTO proposal (run_id, treasury, proposal_id, proposer, nonce, deadline_s, threshold, reference, calls, opened_at)
    SELECT ${books.runId}, treasury, proposal_id, proposer, nonce, deadline_s, threshold, reference, calls, opened_at
    FROM proposal WHERE run_id = ${earlier?.run_id ?? null}  AND proposal_id = ${bytesOf(proposalId)}`;
  const { items } = await open().list({ limit: 5 });
  expect(items).toMatchObject([{ proposalId, state: "open", unfollowed: false, approvals: [] }]);
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

test("a nonce that was used by what nobody opened names that one, and says that it is not known here", async () => {
  const proposalId = await propose({ by: [first] });
  const [executed, used] = [hex(32), { ...told(), nonce: nonces }];
  await books.begin((tx) => closeNonce(tx, used, { executed, at: books.now }));
  expect(await open().find(proposalId)).toMatchObject({
    state: "superseded",
    supersededBy: { proposalId: executed, known: false },
    transactionHash: used.transaction,
  });
});
