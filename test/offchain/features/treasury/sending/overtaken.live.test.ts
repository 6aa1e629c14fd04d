import { encodeFunctionData, erc20Abi, type Hex, maxUint128, parseUnits } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { spendCalldata } from "#offchain/features/treasury/contract.ts";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { signSpend } from "#offchain/sdk/treasury/treasury.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../../support/stack.ts";

let stack: TestStack;
const agent = account(4);
const shop = account(5);
const stranger = account(6);
const usdc = (amount: string) => parseUnits(amount, 6);
const { Treasury: address } = contracts;

beforeAll(async () => {
  stack = await startTestStack();
  const chain = testChain(stack);
  await chain.impersonateAccount({ address });
  await chain.setBalance({ address, value: 10n ** 18n });
  const terms = {
    perTransaction: usdc("500"),
    approvalAbove: usdc("100"),
    hourly: maxUint128,
    daily: maxUint128,
    weekly: maxUint128,
    monthly: maxUint128,
    validUntil: 2 ** 40 - 1,
    recipientsOnly: false,
  };
  const data = encodeFunctionData({
    abi: treasuryAbi,
    functionName: "setBudget",
    args: [agent.address, contracts.TestUSDC, terms],
  });
  const hash = await chain.sendTransaction({ account: address, to: address, data });
  await chain.waitForTransactionReceipt({ hash });
  await chain.stopImpersonatingAccount({ address });
}, 240_000);

afterAll(() => stack?.stop());

const received = () =>
  testChain(stack).readContract({
    address: contracts.TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [shop.address],
  });

/** The service's transaction to the Treasury that waits for a block. */
async function waiting(): Promise<Hex> {
  const block = await until(
    () => testChain(stack).getBlock({ blockTag: "pending", includeTransactions: true }),
    ({ transactions }) => transactions.some(({ to }) => to === address.toLowerCase()),
  );
  const found = block.transactions.find(({ to }) => to === address.toLowerCase());
  if (!found) throw new Error("nothing waits");
  return found.input;
}

/** Sends what everybody can see, dearer: it is mined first. */
const overtake = (data: Hex) =>
  testChain(stack).sendTransaction({
    account: stranger,
    to: address,
    data,
    gas: 1_000_000n,
    maxFeePerGas: 10n ** 12n,
    maxPriorityFeePerGas: 10n ** 11n,
  });

/** Has a spend copied while it waits for its block, and mined before it. */
async function overtaken<Answer>(spend: () => Promise<Answer>): Promise<{ answer: Answer; first: Hex }> {
  const chain = testChain(stack);
  await chain.setAutomine(false);
  try {
    const asked = spend();
    asked.catch(() => {});
    const first = await overtake(await waiting());
    await chain.mine({ blocks: 1 });
    return { answer: await asked, first };
  } finally {
    await chain.setAutomine(true);
  }
}

const signed = (facts: { amount: bigint; reference: Hex; nonce?: bigint; validBefore?: bigint; to?: Hex }) =>
  signSpend(
    agent,
    { address, chainId },
    {
      token: contracts.TestUSDC,
      to: shop.address,
      nonce: BigInt(facts.reference),
      validBefore: BigInt(Math.floor(Date.now() / 1000) + 3_600),
      ...facts,
    },
  );

const reference = (byte: string): Hex => `0x${byte.repeat(32)}`;

test("a spend that somebody else relayed first is paid, by their transaction, and told so whenever it is asked", async () => {
  const before = await received();
  const ask = { key: "books", to: shop.address, amount: "40" };
  const { answer, first } = await overtaken(() => stack.agent(4).spend(ask));
  expect(answer).toEqual({ transactionHash: first, outcome: "paid", proposalId: null, readyAt: null });
  expect(await received()).toBe(before + usdc("40"));
  expect(await stack.agent(4).spend(ask), "again: the same answer").toEqual(answer);
  expect(await received(), "and it is paid once").toBe(before + usdc("40"));
});

test("a spend that somebody else relayed first is proposed when it is above the line", async () => {
  const { answer } = await overtaken(() =>
    stack.agent(4).spend({ key: "server", to: shop.address, amount: "250" }),
  );
  expect(answer).toMatchObject({ outcome: "proposed", proposalId: expect.stringMatching(/^0x/) });
  const proposalId = answer.proposalId as Hex;
  expect(await stack.client.treasury.proposal({ proposalId })).toMatchObject({ state: "open" });
});

test("a spend that was relayed before the service was asked at all is told as paid", async () => {
  const spend = await signed({ amount: usdc("3"), reference: reference("31") });
  const data = spendCalldata(
    {
      agent: agent.address,
      token: contracts.TestUSDC,
      to: shop.address,
      amount: BigInt(spend.amount),
      reference: reference("31"),
      nonce: BigInt(spend.nonce),
      validBefore: BigInt(spend.validBefore),
    },
    spend.signature as Hex,
  );
  const first = await overtake(data);
  await testChain(stack).waitForTransactionReceipt({ hash: first });
  expect(await stack.client.treasury.spend(spend)).toEqual({
    transactionHash: first,
    outcome: "paid",
    proposalId: null,
    readyAt: null,
  });
});

test("another payment under a used reference is refused", async () => {
  const used = reference("32");
  const paid = await stack.client.treasury.spend(await signed({ amount: usdc("2"), reference: used }));
  expect(paid.outcome).toBe("paid");
  const nonce = 9_000n;
  for (const other of [{ amount: usdc("1") }, { amount: usdc("2"), to: stranger.address }])
    await expect(
      stack.client.treasury.spend(await signed({ reference: used, nonce, ...other })),
    ).rejects.toMatchObject({ code: "TRANSACTION_REVERTED", facts: { error: "Treasury_ReferenceUsed" } });
});

test("a spend whose nonce its agent has cancelled is refused", async () => {
  const cancelled = reference("33");
  const data = encodeFunctionData({
    abi: treasuryAbi,
    functionName: "cancelSpend",
    args: [BigInt(cancelled)],
  });
  const hash = await testChain(stack).sendTransaction({ account: agent, to: address, data });
  await testChain(stack).waitForTransactionReceipt({ hash });
  await expect(
    stack.client.treasury.spend(await signed({ amount: usdc("2"), reference: cancelled })),
  ).rejects.toMatchObject({ code: "TRANSACTION_REVERTED", facts: { error: "Treasury_SpendNonceUsed" } });
});

test("the same spend signed anew is the same spend: while it is on its way, and once it is paid", async () => {
  const before = await received();
  const facts = { amount: usdc("5"), reference: reference("34") };
  const later = (hours: number) => BigInt(Math.floor(Date.now() / 1000) + hours * 3_600);
  const chain = testChain(stack);
  await chain.setAutomine(false);
  const first = stack.client.treasury.spend(await signed({ ...facts, validBefore: later(1) }));
  await waiting();
  const second = stack.client.treasury.spend(await signed({ ...facts, validBefore: later(2) }));
  second.catch(() => {});
  await new Promise((done) => setTimeout(done, 500));
  await chain.setAutomine(true);
  await chain.mine({ blocks: 1 });
  const paid = await first;
  expect(await second).toEqual(paid);
  const again = await signed({ ...facts, validBefore: later(3) });
  expect(await stack.client.treasury.spend(again)).toEqual(paid);
  expect(await received()).toBe(before + facts.amount);
});

test("a proposal that somebody else executed first is executed", async () => {
  const chain = testChain(stack);
  const [one, two] = [account(1), account(2)].toSorted((left, right) =>
    left.address.toLowerCase() < right.address.toLowerCase() ? -1 : 1,
  );
  if (!one || !two) throw new Error("two owners are needed");
  const call = { to: shop.address, value: 0n, data: "0x" } as const;
  const terms = [[call], 4_711n, BigInt(Math.floor(Date.now() / 1000) + 86_400)] as const;
  const propose = encodeFunctionData({ abi: treasuryAbi, functionName: "propose", args: terms });
  const hash = await chain.sendTransaction({ account: one, to: address, data: propose });
  await chain.waitForTransactionReceipt({ hash });
  const { items } = await until(
    () => stack.client.treasury.proposals(),
    (page) => page.items.some(({ nonce }) => nonce === "4711"),
  );
  const proposal = items.find(({ nonce }) => nonce === "4711");
  if (!proposal) throw new Error("it was not proposed");
  const { proposalId } = proposal;
  const signature = await two.signTypedData(typedProposal(proposal, { chainId, address }));
  await stack.client.treasury.approve({ proposalId, owner: two.address, signature });
  const { answer, first } = await overtaken(() => stack.client.treasury.execute({ proposalId }));
  expect(answer).toMatchObject({ state: "executed", transactionHash: first });
});
