import {
  encodeFunctionData,
  erc20Abi,
  type Hex,
  maxUint128,
  numberToHex,
  parseUnits,
  zeroAddress,
  zeroHash,
} from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { batchSettlementAbi, scopesAbi, treasuryAbi } from "#contracts";
import { paymentNonce } from "#offchain/features/treasury/messages.ts";
import { signSpend } from "#offchain/sdk/treasury/treasury.ts";
import {
  account,
  chainId,
  contracts,
  indexedTo,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../../support/stack.ts";

let stack: TestStack;
const [owner, agent, other, shop, stranger] = [account(1), account(4), account(6), account(5), account(7)];
const usdc = (amount: string) => parseUnits(amount, 6);
const { Treasury: address, TestUSDC: token } = contracts;
const hour = 3_600;

/** Waits until the service has read it. */
async function sendAs(from: typeof agent | Hex, to: Hex, data: Hex): Promise<Hex> {
  const chain = testChain(stack);
  const hash = await chain.sendTransaction({ account: from, to, data });
  const { status, blockNumber } = await chain.waitForTransactionReceipt({ hash });
  expect(status).toBe("success");
  await indexedTo(stack, blockNumber);
  return hash;
}

const delayOf = (spender: Hex, delay: bigint) =>
  encodeFunctionData({ abi: treasuryAbi, functionName: "setDelay", args: [spender, token, delay] });

const channel = {
  payer: agent.address,
  payerAuthorizer: agent.address,
  receiver: shop.address,
  receiverAuthorizer: shop.address,
  token,
  withdrawDelay: 900,
  salt: zeroHash,
} as const;

const deposit = encodeFunctionData({
  abi: batchSettlementAbi,
  functionName: "deposit",
  args: [channel, usdc("30"), "0x0000000000000000000000000000000000000000", "0x"],
});

beforeAll(async () => {
  stack = await startTestStack();
  const chain = testChain(stack);
  await chain.impersonateAccount({ address });
  await chain.setBalance({ address, value: 10n ** 18n });
  const terms = {
    perTransaction: usdc("500"),
    approvalAbove: usdc("100"),
    hourly: usdc("1000"),
    daily: maxUint128,
    weekly: maxUint128,
    monthly: maxUint128,
    validUntil: 2 ** 40 - 1,
    recipientsOnly: false,
  };
  for (const spender of [agent.address, other.address]) {
    const args = [spender, token, terms] as const;
    await sendAs(address, address, encodeFunctionData({ abi: treasuryAbi, functionName: "setBudget", args }));
    await sendAs(address, address, delayOf(spender, BigInt(hour)));
  }
  const allowed = [
    agent.address,
    contracts.BatchSettlement,
    deposit.slice(0, 10) as Hex,
    token,
    zeroAddress,
    [],
  ] as const;
  const allow = encodeFunctionData({ abi: scopesAbi, functionName: "allowCall", args: allowed });
  await sendAs(address, contracts.Scopes, allow);
}, 240_000);

afterAll(() => stack?.stop());

const spendOf = (who: typeof agent, reference: Hex, amount = usdc("120")) =>
  signSpend(
    who,
    { address, chainId },
    {
      token,
      to: shop.address,
      amount,
      reference,
      nonce: BigInt(reference),
      validBefore: BigInt(Math.floor(Date.now() / 1000) + 10 * hour),
    },
  );

const reference = (number: number): Hex => numberToHex(number, { size: 32 });

/** Asks for a payment above the line; gives what the service says of it. */
async function queue(who: typeof agent, under: Hex) {
  const answer = await stack.client.treasury.spend(await spendOf(who, under));
  if (answer.proposalId === null) throw new Error("it opened no proposal");
  return { ...answer, proposalId: answer.proposalId };
}

const shown = (proposalId: Hex) => stack.client.treasury.proposal({ proposalId });

test("a payment that the contract queued is told with its date, which is over once an owner cancels it", async () => {
  const answer = await queue(agent, reference(1));
  const { timestamp } = await testChain(stack).getBlock({
    blockNumber: (await testChain(stack).getTransactionReceipt({ hash: answer.transactionHash as Hex }))
      .blockNumber,
  });
  const readyAt = (Number(timestamp) + hour) * 1_000;
  expect(answer).toMatchObject({ outcome: "queued", readyAt });
  expect(await queue(agent, reference(1)), "asked again").toEqual(answer);
  expect(await shown(answer.proposalId)).toMatchObject({ state: "open", readyAt });
  const nonce = paymentNonce(agent.address, reference(1));
  await sendAs(
    owner,
    address,
    encodeFunctionData({ abi: treasuryAbi, functionName: "cancelProposal", args: [nonce] }),
  );
  expect(await shown(answer.proposalId)).toMatchObject({ state: "cancelled", readyAt: null });
});

test("what waits when an owner takes the delay away waits for the owners, also once there is a delay again", async () => {
  const { proposalId } = await queue(other, reference(2));
  await sendAs(owner, address, delayOf(other.address, 0n));
  const forOwners = { outcome: "proposed", readyAt: null };
  expect(await queue(other, reference(2))).toMatchObject(forOwners);
  await sendAs(address, address, delayOf(other.address, BigInt(hour)));
  expect(await queue(other, reference(2))).toMatchObject(forOwners);
  expect(await shown(proposalId)).toMatchObject({ state: "open", readyAt: null });
});

test("an agent's call is charged to its budget, and uses its reference up", async () => {
  const hourly = async () => {
    const { items } = await stack.client.treasury.budgets();
    const budget = items.find(({ spender }) => spender === agent.address);
    return budget?.windows.find(({ window }) => window === "hourly")?.left.amount;
  };
  expect(await hourly()).toBe("1000");
  const args = [
    { to: contracts.BatchSettlement, value: 0n, data: deposit },
    usdc("30"),
    reference(3),
  ] as const;
  await sendAs(agent, address, encodeFunctionData({ abi: treasuryAbi, functionName: "callWithin", args }));
  await until(hourly, (left) => left === "970");
  await expect(
    stack.client.treasury.spend(await spendOf(agent, reference(3), usdc("5"))),
  ).rejects.toMatchObject({ code: "TRANSACTION_REVERTED", facts: { error: "Treasury_ReferenceUsed" } });
});

test("what anybody has paid after the delay is paid, and its proposal executed", async () => {
  const chain = testChain(stack);
  const { proposalId } = await queue(agent, reference(4));
  const received = () =>
    chain.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [shop.address] });
  const before = await received();
  await chain.increaseTime({ seconds: hour });
  const args = [agent.address, token, shop.address, usdc("120"), reference(4)] as const;
  const transactionHash = await sendAs(
    stranger,
    address,
    encodeFunctionData({ abi: treasuryAbi, functionName: "payQueued", args }),
  );
  expect(await received()).toBe(before + usdc("120"));
  expect(await stack.client.treasury.spend(await spendOf(agent, reference(4)))).toEqual({
    transactionHash,
    outcome: "paid",
    proposalId: null,
    readyAt: null,
  });
  expect(await shown(proposalId)).toMatchObject({ state: "executed", readyAt: null, transactionHash });
});
