import { getAddress } from "viem";
import { expect, test } from "vitest";
import { openAgents } from "#offchain/features/agents/agents.ts";
import { openNaming } from "#offchain/features/treasury/proposals/naming.ts";
import { Proposals } from "#offchain/features/treasury/proposals/proposals.ts";
import { saveSignature } from "#offchain/features/treasury/store/approvals.ts";
import {
  closeNonce,
  proposedPayments,
  reopenNonce,
  saveProposal,
  takeProposalBack,
} from "#offchain/features/treasury/store/proposals.ts";
import { openTokens } from "#offchain/platform/chain/contracts/tokens.ts";
import { type Books, bookedChainId as chainId, eachWithBooks, hex } from "../../../support/books.ts";

/** What becomes of a proposal whose opening a reorganisation takes back, though signatures need none. */

const someone = () => getAddress(hex(20));
const [first, second, third] = [someone(), someone(), someone()];
const [treasury, reference] = [someone(), hex(32)];

let books: Books;
eachWithBooks((opened) => {
  books = opened;
});

function open(): Proposals {
  const clock = { now: () => books.now };
  return new Proposals({
    sql: books.sql,
    clock,
    chainId,
    contractOf: () => ({ address: treasury }),
    membershipOf: async () => ({ owners: [first, second, third], threshold: 2 }),
    named: openNaming(openAgents(books.sql, clock, chainId), new Map()),
    known: new Map(),
    treasuries: async () => [treasury],
    tokens: openTokens(new Map(), { symbol: "ETH", decimals: 18 }),
    runId: () => books.runId,
  } as unknown as ConstructorParameters<typeof Proposals>[0]);
}

let nonces = 0n;
async function propose({ openedBy = hex(32), proposalId = hex(32), nonce = ++nonces } = {}) {
  await books.begin((tx) =>
    saveProposal(tx, {
      runId: books.runId,
      treasury,
      proposalId,
      proposer: first,
      nonce,
      deadlineS: BigInt(Math.floor(books.now / 1_000) + 86_400),
      threshold: 2,
      reference,
      calls: [{ to: third, value: 1n, data: "0x" }],
      openedAt: books.now,
      openedBy,
      paymentToken: null,
    }),
  );
  return proposalId;
}

test("a proposal whose opening a reorganisation takes back goes, unless an owner has signed it", async () => {
  const openedBy = hex(32);
  const proposalId = await propose({ openedBy });
  await books.begin((tx) => takeProposalBack(tx, books.runId, proposalId, hex(32)));
  expect(await open().find(proposalId), "it was opened by another transaction").not.toBeNull();
  await books.begin((tx) => takeProposalBack(tx, books.runId, proposalId, openedBy));
  expect(await open().find(proposalId)).toBeNull();
});

/** One that two owners have signed, before and after a reorganisation took its opening back. */
async function takeBackSigned() {
  const openedBy = hex(32);
  const proposalId = await propose({ openedBy });
  for (const owner of [first, second])
    await saveSignature(
      books.sql,
      { runId: books.runId, proposalId, owner, signature: hex(65), at: books.now },
      null,
    );
  const before = await open().find(proposalId);
  await books.begin((tx) => takeProposalBack(tx, books.runId, proposalId, openedBy));
  return { proposalId, before, openedBy, nonce: nonces };
}

test("one that was signed stays to be read and rejected, gives out no signature, and is executed by nobody here", async () => {
  const { proposalId, before } = await takeBackSigned();
  const proposals = open();
  const found = await proposals.find(proposalId);
  expect(before).toMatchObject({ state: "ready", unfollowed: false, takenBack: false });
  expect(found).toMatchObject({ state: "lost", unfollowed: true, takenBack: true, quorum: null });
  expect(found?.approvals).toMatchObject([
    { signature: null, consent: null },
    { signature: null, consent: null },
  ]);
  for (const ask of [() => proposals.approve(proposalId, third, "0x"), () => proposals.execute(proposalId)])
    await expect(ask()).rejects.toMatchObject({
      code: "PROPOSAL_CLOSED",
      message: expect.stringContaining("took the opening of the proposal back"),
    });
  const { items } = await proposals.list({ limit: 1, state: "lost" });
  expect(items.map((item) => item.proposalId)).toEqual([proposalId]);
});

test("the payment that it would have been is not told as proposed", async () => {
  const { nonce } = await takeBackSigned();
  const payment = { runId: books.runId, treasury, spender: first, reference };
  expect(await proposedPayments(books.sql, payment, nonce)).toEqual([]);
});

test("its execution, its rejection, and that of another one of its nonce are told", async () => {
  const { proposalId, nonce } = await takeBackSigned();
  const lost = await open().find(proposalId);
  const used = { runId: books.runId, treasury, nonce, transaction: hex(32) };
  for (const [executed, state] of [
    [proposalId, "executed"],
    [null, "cancelled"],
    [hex(32), "superseded"],
  ] as const) {
    await books.begin((tx) => closeNonce(tx, used, { executed, at: books.now }));
    const told = { state, unfollowed: false, transactionHash: used.transaction };
    expect(await open().find(proposalId), state).toMatchObject(told);
    await books.begin((tx) => reopenNonce(tx, used));
    expect(await open().find(proposalId)).toEqual(lost);
  }
});

test("opened again it is what it was, signatures and all", async () => {
  const { proposalId, before, nonce } = await takeBackSigned();
  await propose({ proposalId, nonce });
  expect(await open().find(proposalId)).toEqual(before);
});
