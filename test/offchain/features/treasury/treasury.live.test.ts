import {
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  http,
  maxUint128,
  parseUnits,
} from "viem";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import type { BursarError } from "#offchain/core/error.ts";
import { hardhat } from "#offchain/core/localChain.ts";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { account, contracts, startTestStack, type TestStack, until } from "../../support/stack.ts";

let stack: TestStack;
const agent = account(4);
const shop = account(5);
const [first, second] = [account(1), account(2)];
const usdc = (amount: string) => parseUnits(amount, 6);

beforeAll(async () => {
  stack = await startTestStack();
  await stack.agent(4).register("Ada", "Researcher");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => createPublicClient({ chain: hardhat, transport: http(stack.rpcUrl) });

/** Owner 1 proposes on the chain, as a person with a wallet does; gives the proposal once it is indexed. */
async function propose(
  data: `0x${string}`,
  nonce: bigint,
  deadline = BigInt(Math.floor(Date.now() / 1000) + 86_400),
) {
  const wallet = createWalletClient({ account: first, chain: hardhat, transport: http(stack.rpcUrl) });
  await wallet.writeContract({
    address: contracts.Treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [[{ to: contracts.Treasury, value: 0n, data }], nonce, deadline],
  });
  const { items } = await until(
    () => stack.client.treasury.proposals(),
    (page) => page.items.some((proposal) => proposal.nonce === nonce.toString()),
  );
  const found = items.find((proposal) => proposal.nonce === nonce.toString());
  if (!found) throw new Error("the proposal was not indexed");
  return found;
}

type Proposal = Awaited<ReturnType<typeof propose>>;

const sign = (owner: typeof first, proposal: Proposal) =>
  owner.signTypedData(typedProposal(proposal, { chainId: 31337, address: contracts.Treasury }));

const failure = (promise: Promise<unknown>): Promise<BursarError> =>
  promise.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: BursarError) => error,
  );

test("owners give an agent a budget: proposed on the chain, approved by signature, executed by the service", async () => {
  const terms = {
    perTransaction: usdc("500"),
    approvalAbove: usdc("100"),
    hourly: maxUint128,
    daily: usdc("1000"),
    weekly: maxUint128,
    monthly: maxUint128,
    validUntil: Math.floor(Date.now() / 1000) + 30 * 86_400,
    recipientsOnly: false,
  };
  const data = encodeFunctionData({
    abi: treasuryAbi,
    functionName: "setBudget",
    args: [agent.address, contracts.TestUSDC, terms],
  });
  const proposal = await propose(data, 1n);
  expect(proposal.words).toBe(
    `Give "Ada" (${agent.address}, self-chosen name) a budget in USDC: 1000 USDC a day, no hourly, weekly or monthly limit, 500 USDC at most for one payment, payments above 100 USDC need the owners' approval, to any recipient, until ${new Date(terms.validUntil * 1_000).toISOString().slice(0, 19).replace("T", " ")} UTC`,
  );
  expect(proposal.calls[0]?.warnings).toEqual(["missingLimit"]);
  expect(proposal.approvals).toMatchObject([{ owner: first.address, by: "transaction", counts: true }]);
  expect(proposal.missing).toEqual([second.address, account(3).address]);

  expect(await failure(stack.client.treasury.execute({ proposalId: proposal.proposalId }))).toMatchObject({
    code: "QUORUM_MISSING",
  });
  const approved = await stack.client.treasury.approve({
    proposalId: proposal.proposalId,
    owner: second.address,
    signature: await sign(second, proposal),
  });
  expect(approved.state).toBe("ready");
  const executed = await stack.client.treasury.execute({ proposalId: proposal.proposalId });
  expect(executed).toMatchObject({ state: "executed", transactionHash: expect.stringMatching(/^0x/) });

  const { items } = await stack.client.treasury.budgets();
  expect(items).toMatchObject([
    { spender: agent.address, spenderName: "Ada", approvalAbove: { amount: "100", unit: "USDC" } },
  ]);
});

describe("an agent's signed spend", () => {
  test("is paid at once inside the budget, and once only for its reference", async () => {
    const ask = { key: "books", to: shop.address, amount: "40" };
    const paid = await stack.agent(4).spend(ask);
    expect(paid).toMatchObject({ outcome: "paid", proposalId: null });
    expect(await stack.agent(4).spend(ask)).toEqual(paid);
    const { items } = await stack.client.treasury.budgets();
    const daily = items[0]?.windows.find(({ window }) => window === "daily");
    expect(daily).toMatchObject({ spent: { amount: "40" }, left: { amount: "960" } });
  });

  test("above the line opens a proposal that two owners' signatures execute", async () => {
    const asked = await stack.agent(4).spend({ key: "server", to: shop.address, amount: "250" });
    expect(asked.outcome).toBe("proposed");
    const proposalId = asked.proposalId as `0x${string}`;
    const proposal = await stack.client.treasury.proposal({ proposalId });
    expect(proposal).toMatchObject({
      state: "open",
      words: `Pay 250 USDC to ${shop.address} for "Ada" (${agent.address}, self-chosen name)`,
      approvals: [],
    });

    const simulation = await stack.client.treasury.simulate({ proposalId });
    expect(simulation).toMatchObject({ succeeds: true, reason: null });
    expect(
      simulation.balanceChanges.map(({ before, after, change }) => [
        Number(after?.amount) - Number(before?.amount),
        change.amount,
        change.unit,
      ]),
    ).toEqual([
      [-250, "-250", "USDC"],
      [250, "250", "USDC"],
    ]);
    expect(simulation.complete, "the node tells what else would move").toBe(true);

    const balance = () =>
      chain().readContract({
        address: contracts.TestUSDC,
        abi: erc20Abi,
        functionName: "balanceOf",
        args: [shop.address],
      });
    const before = await balance();
    for (const owner of [second, first])
      await stack.client.treasury.approve({
        proposalId,
        owner: owner.address,
        signature: await sign(owner, proposal),
      });
    expect(await stack.client.treasury.execute({ proposalId })).toMatchObject({ state: "executed" });
    expect(await balance()).toBe(before + usdc("250"));
    expect(await stack.client.treasury.execute({ proposalId }), "again: the same answer").toMatchObject({
      state: "executed",
    });
  });

  test("beyond the hard limit is refused with the contract's reason", async () => {
    const error = await failure(stack.agent(4).spend({ key: "yacht", to: shop.address, amount: "501" }));
    expect(error).toMatchObject({
      code: "POLICY_DENIED",
      facts: { error: "Treasury_SpendDenied", got: "501000000" },
    });
    expect((error as Error).message).toBe(
      "the Treasury refuses 501 USDC: it is above the budget's limit for one payment",
    );
  });
});

test("what was spent today counts in the overview after the agent is frozen, and after its budget is removed", async () => {
  const shown = async () => (await stack.client.overview.show()).treasury;
  const before = await shown();
  expect(before.spentToday).toMatchObject({ amount: "40", unit: "USDC" });
  const wallet = createWalletClient({ account: first, chain: hardhat, transport: http(stack.rpcUrl) });
  const treasury = { address: contracts.Treasury, abi: treasuryAbi } as const;
  const stopped = {
    spentToday: { amount: "40" },
    stoppedToday: { amount: "40" },
    budgetToday: { amount: "0" },
  };

  await wallet.writeContract({ ...treasury, functionName: "freeze", args: [agent.address] });
  const frozen = await until(shown, ({ budgetToday }) => budgetToday.amount === "0");
  expect(frozen).toMatchObject(stopped);

  await wallet.writeContract({
    ...treasury,
    functionName: "removeBudget",
    args: [agent.address, contracts.TestUSDC],
  });
  const head = await chain().getBlockNumber();
  const removed = await until(
    () => stack.client.overview.show(),
    (overview) => BigInt(overview.chain.head) >= head,
  );
  expect(removed.treasury).toMatchObject(stopped);
  expect((await stack.client.treasury.budgets()).items).toEqual([]);
});

test.each([2n ** 256n - 1n, 2n ** 64n, 9_007_199_254_740_993n])(
  "a proposal without an end in sight (%s s) is indexed, shown, signed and executed as any other",
  async (deadline) => {
    const data = encodeFunctionData({ abi: treasuryAbi, functionName: "freeze", args: [account(9).address] });
    const proposal = await propose(data, deadline >> 8n, deadline);
    expect(proposal).toMatchObject({
      state: "open",
      deadline: 8_640_000_000_000_000,
      deadlineS: deadline.toString(),
    });
    const { proposalId } = proposal;
    const signature = await sign(second, proposal);
    await stack.client.treasury.approve({ proposalId, owner: second.address, signature });
    expect(await stack.client.treasury.execute({ proposalId })).toMatchObject({ state: "executed" });
  },
);

describe("an approval is refused", () => {
  let proposal: Proposal;
  beforeAll(async () => {
    proposal = await propose(encodeFunctionData({ abi: treasuryAbi, functionName: "unpause" }), 77n);
  });

  test("of somebody who is no owner", async () => {
    const { proposalId } = proposal;
    const stranger = account(7);
    const error = await failure(
      stack.client.treasury.approve({
        proposalId,
        owner: stranger.address,
        signature: await sign(stranger, proposal),
      }),
    );
    expect(error).toMatchObject({ code: "OWNER_UNKNOWN", facts: { owner: stranger.address } });
  });

  test("when another key signed", async () => {
    const { proposalId } = proposal;
    const error = await failure(
      stack.client.treasury.approve({
        proposalId,
        owner: second.address,
        signature: await sign(account(3), proposal),
      }),
    );
    expect(error).toMatchObject({ code: "SIGNATURE_INVALID" });
    expect((await stack.client.treasury.proposal({ proposalId })).approvals).toHaveLength(1);
  });

  test("of a proposal that nobody made", async () => {
    const error = await failure(
      stack.client.treasury.approve({
        proposalId: `0x${"12".repeat(32)}`,
        owner: second.address,
        signature: await sign(second, proposal),
      }),
    );
    expect(error).toMatchObject({ code: "PROPOSAL_UNKNOWN" });
  });

  test("once one owner has cancelled it", async () => {
    const wallet = createWalletClient({ account: first, chain: hardhat, transport: http(stack.rpcUrl) });
    await wallet.writeContract({
      address: contracts.Treasury,
      abi: treasuryAbi,
      functionName: "cancelProposal",
      args: [77n],
    });
    const { proposalId } = proposal;
    await until(
      () => stack.client.treasury.proposal({ proposalId }),
      ({ state }) => state === "cancelled",
    );
    const error = await failure(
      stack.client.treasury.approve({
        proposalId,
        owner: second.address,
        signature: await sign(second, proposal),
      }),
    );
    expect(error).toMatchObject({ code: "PROPOSAL_CLOSED", facts: { state: "cancelled" } });
  });
});
