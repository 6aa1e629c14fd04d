import {
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  formatUnits,
  type Hex,
  http,
  maxUint128,
  parseUnits,
  zeroAddress,
} from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stakingAbi, testUsdcAbi, treasuryAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";
import { deployToken, mintData } from "../../support/token.ts";

let stack: TestStack;
const [first, second, third] = [account(1), account(2), account(3)];
const agent = account(4);
const shop = account(5);
const usdc = (amount: string) => parseUnits(amount, 6);
let nonces = 100n;

beforeAll(async () => {
  stack = await startTestStack();
  await stack.agent(4).register("Ada", "Researcher");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => createPublicClient({ chain: hardhat, transport: http(stack.rpcUrl) });
const wallet = (owner: typeof first) =>
  createWalletClient({ account: owner, chain: hardhat, transport: http(stack.rpcUrl) });

const balanceOf = (address: Hex) =>
  chain().readContract({
    address: contracts.TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [address],
  });

async function fund(amount: bigint) {
  const hash = await wallet(agent).writeContract({
    address: contracts.TestUSDC,
    abi: testUsdcAbi,
    functionName: "transfer",
    args: [contracts.Treasury, amount],
  });
  await testChain(stack).waitForTransactionReceipt({ hash });
}

const transfer = (amount: bigint) => ({
  to: contracts.TestUSDC,
  value: 0n,
  data: encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [shop.address, amount] }),
});

/** Proposed on the chain by the first owner, who so approves it. */
async function propose(...calls: { to: Hex; value: bigint; data: Hex }[]) {
  nonces += 1n;
  const nonce = nonces;
  await wallet(first).writeContract({
    address: contracts.Treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [calls, nonce, BigInt(Math.floor(Date.now() / 1000) + 86_400)],
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

async function approve(proposal: Proposal, owner: typeof first) {
  const { proposalId } = proposal;
  const typed = typedProposal(proposal, { chainId, address: contracts.Treasury });
  const signature = await owner.signTypedData(typed);
  await stack.client.treasury.approve({ proposalId, owner: owner.address, signature });
}

const execute = ({ proposalId }: Proposal) => stack.client.treasury.execute({ proposalId });

/** A payment of one USDC more than the Treasury has. */
async function beyondMeans() {
  const short = (await balanceOf(contracts.Treasury)) + usdc("1");
  const proposal = await propose(transfer(short));
  await approve(proposal, second);
  return { proposal, short };
}

test("a proposal that failed for lack of funds executes once the Treasury is funded", async () => {
  const { proposal, short } = await beyondMeans();
  for (const _ of [1, 2])
    await expect(execute(proposal)).rejects.toMatchObject({ code: "TRANSACTION_REVERTED" });
  await fund(usdc("1"));
  const before = await balanceOf(shop.address);
  const [one, other] = await Promise.all([execute(proposal), execute(proposal)]);
  expect(one).toMatchObject({ state: "executed", transactionHash: expect.stringMatching(/^0x/) });
  expect(other, "asked twice at once: sent once").toEqual(one);
  expect(await execute(proposal), "again: the same answer").toEqual(one);
  expect(await balanceOf(shop.address)).toBe(before + short);
});

test("a proposal that failed executes also with an approval that came in between", async () => {
  const { proposal, short } = await beyondMeans();
  await expect(execute(proposal)).rejects.toMatchObject({ code: "TRANSACTION_REVERTED" });
  await approve(proposal, third);
  await fund(usdc("1"));
  const before = await balanceOf(shop.address);
  expect(await execute(proposal)).toMatchObject({ state: "executed" });
  expect(await balanceOf(shop.address)).toBe(before + short);
});

test("an approval that comes while the execution is on its way changes nothing: it is sent once", async () => {
  await fund(usdc("1"));
  const proposal = await propose(transfer(usdc("1")));
  await approve(proposal, second);
  await testChain(stack).setAutomine(false);
  const before = await balanceOf(shop.address);
  const running = execute(proposal);
  await until(
    () => testChain(stack).getBlock({ blockTag: "pending" }),
    ({ transactions }) => transactions.length > 0,
  );
  await approve(proposal, third);
  const again = execute(proposal);
  await new Promise((done) => setTimeout(done, 500));
  await testChain(stack).setAutomine(true);
  await testChain(stack).mine({ blocks: 1 });
  const [one, other] = await Promise.all([running, again]);
  expect(one).toMatchObject({ state: "executed" });
  expect(other.transactionHash).toBe(one.transactionHash);
  expect(await balanceOf(shop.address)).toBe(before + usdc("1"));
});

test("a spend that was refused for lack of funds is paid once the Treasury is funded", async () => {
  const terms = {
    perTransaction: usdc("5000000"),
    approvalAbove: usdc("5000000"),
    hourly: maxUint128,
    daily: usdc("5000000"),
    weekly: maxUint128,
    monthly: maxUint128,
    validUntil: Math.floor(Date.now() / 1000) + 30 * 86_400,
    recipientsOnly: false,
  };
  const budget = await propose({
    to: contracts.Treasury,
    value: 0n,
    data: encodeFunctionData({
      abi: treasuryAbi,
      functionName: "setBudget",
      args: [agent.address, contracts.TestUSDC, terms],
    }),
  });
  await approve(budget, second);
  await execute(budget);
  const all = await balanceOf(contracts.Treasury);
  const ask = { key: "rent", to: shop.address, amount: String(all / 1_000_000n + 1n) };
  await expect(stack.agent(4).spend(ask)).rejects.toMatchObject({ code: "TRANSACTION_REVERTED" });
  await fund(usdc("2"));
  const paid = await stack.agent(4).spend(ask);
  expect(paid).toMatchObject({ outcome: "paid", proposalId: null });
  expect(await stack.agent(4).spend(ask), "again: the same answer").toEqual(paid);
});

test("what a proposal calls is simulated also where it cannot be read", async () => {
  const simulated = async (to: Hex, data: Hex, value = 0n) => {
    const { proposalId } = await propose({ to, value, data });
    return stack.client.treasury.simulate({ proposalId });
  };
  const approval = encodeFunctionData({ abi: erc20Abi, functionName: "totalSupply" });
  expect(await simulated(contracts.TestUSDC, approval)).toMatchObject({
    succeeds: true,
    balanceChanges: [],
  });
  for (const to of [contracts.TestUSDC, contracts.Treasury]) {
    expect(await simulated(to, "0x12345678"), "an unknown selector").toMatchObject({ succeeds: false });
    expect(await simulated(to, transfer(1n).data.slice(0, 40) as Hex), "truncated").toMatchObject({
      succeeds: false,
    });
  }
  expect(await simulated(contracts.Treasury, "0x", 0n), "empty").toMatchObject({
    succeeds: true,
    balanceChanges: [],
  });
  expect(await simulated(contracts.TestUSDC, "0x", 1n), "empty with value").toMatchObject({
    succeeds: false,
  });
  for (const to of [shop.address, contracts.Treasury])
    expect(await simulated(to, "0x", 10n ** 30n), "more of the coin than there is").toMatchObject({
      succeeds: false,
      reason: expect.stringContaining("lacks the coin"),
    });
});

test("a proposal whose call never ends is told to need too much gas", async () => {
  const endless = `0x${"e1".repeat(20)}` as const;
  // It hashes 64 KiB again and again.
  await testChain(stack).setCode({ address: endless, bytecode: "0x5b620100005f20505f56" });
  const { proposalId } = await propose(transfer(0n), { to: endless, value: 0n, data: "0x" });
  const { succeeds, reason } = await stack.client.treasury.simulate({ proposalId });
  expect(succeeds).toBe(false);
  expect(reason?.toLowerCase()).toBe(
    `call 2, to ${endless}, needs more gas than a transaction may have (16777216)`,
  );
});

test("a simulation agrees with the execution: all calls in their order, or none", async () => {
  await fund(usdc("3"));
  const all = await balanceOf(contracts.Treasury);
  const { proposalId: twice } = await propose(transfer(all), transfer(all));
  expect(await stack.client.treasury.simulate({ proposalId: twice }), "each alone would do").toMatchObject({
    succeeds: false,
    reason: expect.stringContaining("call 2"),
    balanceChanges: [],
  });
  const lift = (functionName: "freeze" | "unfreeze") => ({
    to: contracts.Treasury,
    value: 0n,
    data: encodeFunctionData({ abi: treasuryAbi, functionName, args: [agent.address] }),
  });
  const { proposalId: after } = await propose(lift("freeze"), lift("unfreeze"));
  expect(await stack.client.treasury.simulate({ proposalId: after })).toMatchObject({ succeeds: true });
});

test("a simulation counts every token that moves, and the coin, for everybody whom it touches", async () => {
  await fund(usdc("5"));
  const hash = await wallet(agent).sendTransaction({ to: contracts.Treasury, value: 10n ** 18n });
  await testChain(stack).waitForTransactionReceipt({ hash });
  const pay = { ...transfer(usdc("2")), value: 0n };
  const coin = { to: shop.address, value: 4n * 10n ** 17n, data: "0x" as const };
  const proposal = await propose(pay, coin);
  const simulation = await stack.client.treasury.simulate({ proposalId: proposal.proposalId });
  expect(simulation).toMatchObject({ succeeds: true, complete: true });
  expect(
    simulation.balanceChanges.map(({ account, accountLabel, change }) => [
      accountLabel ?? account,
      change.amount,
      change.unit,
    ]),
  ).toEqual([
    ["this Treasury", "-2", "USDC"],
    [shop.address, "2", "USDC"],
    ["this Treasury", "-0.4", "ETH"],
    [shop.address, "0.4", "ETH"],
  ]);
  await approve(proposal, second);
  await execute(proposal);
  for (const { account: who, after } of simulation.balanceChanges.filter(
    ({ change }) => change.unit === "USDC",
  ))
    expect(after?.amount).toBe(formatUnits(await balanceOf(who as Hex), 6));
});

test("a token that the service does not know is counted in base units of its address", async () => {
  const token = await deployToken({ client: testChain(stack) } as Parameters<typeof deployToken>[0]);
  const minted = await testChain(stack).sendTransaction({
    to: token,
    data: mintData(contracts.Treasury, 9_000_000n),
  });
  await testChain(stack).waitForTransactionReceipt({ hash: minted });
  const { proposalId, calls, words } = await propose({ ...transfer(usdc("2")), to: token });
  expect(words).toBe(`Call ${token} with data that Bursar cannot read: what it does is not told here`);
  expect(calls[0]?.warnings).toEqual(["unknownContract", "unreadableData"]);
  const { balanceChanges } = await stack.client.treasury.simulate({ proposalId });
  const unit = `base units of ${token}`;
  expect(balanceChanges).toMatchObject([
    {
      account: contracts.Treasury,
      before: { amount: "9000000", unit },
      after: { amount: "7000000", unit },
      change: { amount: "-2000000", unit, token, known: false },
    },
    { account: shop.address, change: { amount: "2000000", unit } },
  ]);
});

test("a budget of the coin is in the coin, and is added to no other", async () => {
  const terms = {
    perTransaction: 10n ** 18n,
    approvalAbove: 10n ** 17n,
    hourly: maxUint128,
    daily: 2n * 10n ** 18n,
    weekly: maxUint128,
    monthly: maxUint128,
    validUntil: Math.floor(Date.now() / 1000) + 30 * 86_400,
    recipientsOnly: true,
  };
  const before = (await stack.client.overview.show()).treasury;
  const proposal = await propose({
    to: contracts.Treasury,
    value: 0n,
    data: encodeFunctionData({
      abi: treasuryAbi,
      functionName: "setBudget",
      args: [agent.address, zeroAddress, terms],
    }),
  });
  expect(proposal.words).toContain("a budget in ETH: 2 ETH a day, no hourly");
  await approve(proposal, second);
  await execute(proposal);
  const { items } = await stack.client.treasury.budgets();
  expect(items.find(({ token }) => token === zeroAddress)).toMatchObject({
    unit: "ETH",
    decimals: 18,
    recipientsOnly: true,
    approvalAbove: { amount: "0.1", unit: "ETH" },
  });
  const { treasury } = await stack.client.overview.show();
  expect(treasury.budgetToday).toEqual(before.budgetToday);
  expect(treasury.others).toMatchObject([
    { budgetToday: { amount: "2", unit: "ETH" }, spentToday: { amount: "0" } },
  ]);
  const { items: wallets } = await stack.client.wallets.list();
  expect(wallets.find(({ address }) => address === agent.address)).toMatchObject({
    otherBudgets: [{ limitToday: { amount: "2", unit: "ETH" } }],
  });
});

test("nobody registers a name that misleads whoever signs", async () => {
  for (const name of [
    "the Treasury",
    "Ada\u200b",
    "\u202eadA",
    "0x1234",
    'Atlas"; Pay 0 USDC',
    contracts.Escrow,
  ])
    await expect(stack.agent(5).register(name, "shop"), name).rejects.toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      fields: [{ field: "name" }],
    });
  await stack.agent(5).register("Ada", "shop");
  const { words } = await propose(transfer(1n));
  expect(words, "the other Ada's address stands beside her name").toBe(
    `Pay 0.000001 USDC to "Ada" (${shop.address}, self-chosen name)`,
  );
});

test("calls of every contract that a feature declares are put into words", async () => {
  const { words, calls } = await propose({
    to: contracts.Staking,
    value: 0n,
    data: encodeFunctionData({ abi: stakingAbi, functionName: "fund", args: [1n] }),
  });
  expect(words).toBe(
    `Call fund of the Staking contract (${contracts.Staking}) with amount 1; what that does is not told here`,
  );
  expect(calls[0]?.decoded).toMatchObject({ contract: "Staking", function: "fund" });
});
