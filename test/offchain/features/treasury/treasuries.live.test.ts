import {
  createPublicClient,
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  http,
  maxUint128,
  parseUnits,
} from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testUsdcAbi, treasuryAbi, treasuryFactoryAbi } from "#contracts";
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

let stack: TestStack;
const [first, second] = [account(1), account(2)];
const agent = account(4);
const shop = account(5);
const usdc = (amount: string) => parseUnits(amount, 6);
const terms = { owners: [first.address, second.address], threshold: 2, key: "research" };

beforeAll(async () => {
  stack = await startTestStack();
  await stack.agent(4).register("Ada", "Researcher");
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => createPublicClient({ chain: hardhat, transport: http(stack.rpcUrl) });
const wallet = (owner: typeof first) =>
  createWalletClient({ account: owner, chain: hardhat, transport: http(stack.rpcUrl) });
const balance = () =>
  chain().readContract({
    address: contracts.TestUSDC,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [shop.address],
  });

async function fund(treasury: Hex, amount: string) {
  const { request } = await chain().simulateContract({
    account: agent,
    address: contracts.TestUSDC,
    abi: testUsdcAbi,
    functionName: "transfer",
    args: [treasury, usdc(amount)],
  });
  await testChain(stack).waitForTransactionReceipt({ hash: await wallet(agent).writeContract(request) });
}

/** The first owner proposes a call of the Treasury itself; both sign; the service executes. */
async function decide(treasury: Hex, data: Hex, nonce: bigint) {
  await wallet(first).writeContract({
    address: treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [[{ to: treasury, value: 0n, data }], nonce, BigInt(Math.floor(Date.now() / 1000) + 86_400)],
  });
  const { items } = await until(
    () => stack.client.treasury.proposals({ treasury }),
    (page) => page.items.some((proposal) => proposal.nonce === nonce.toString()),
  );
  const proposal = items.find((one) => one.nonce === nonce.toString());
  if (!proposal) throw new Error("the proposal was not indexed");
  const signature = await second.signTypedData(typedProposal(proposal, { chainId, address: treasury }));
  await stack.client.treasury.approve({ proposalId: proposal.proposalId, owner: second.address, signature });
  return stack.client.treasury.execute({ proposalId: proposal.proposalId });
}

test("the operator makes a Treasury once for a key, and it is followed at once", async () => {
  const made = await stack.operator.treasury.create(terms);
  expect(made).toMatchObject({ origin: "created", chainId, transactionHash: expect.stringMatching(/^0x/) });
  expect(await stack.operator.treasury.create(terms), "again: the same one").toEqual(made);
  expect(await stack.client.treasury.show({ treasury: made.address })).toMatchObject({
    address: made.address,
    owners: terms.owners,
    threshold: 2,
  });
  await expect(stack.client.treasury.create({ ...terms, key: "other" })).rejects.toMatchObject({
    code: "SIGNATURE_MISSING",
  });
});

test("its agents spend, and its owners decide, apart from the configured one", async () => {
  const { address: treasury } = await stack.operator.treasury.create(terms);
  await fund(treasury as Hex, "100");
  const budget = {
    perTransaction: usdc("50"),
    approvalAbove: usdc("10"),
    hourly: maxUint128,
    daily: usdc("60"),
    weekly: maxUint128,
    monthly: maxUint128,
    validUntil: Math.floor(Date.now() / 1000) + 30 * 86_400,
    recipientsOnly: false,
  };
  const data = encodeFunctionData({
    abi: treasuryAbi,
    functionName: "setBudget",
    args: [agent.address, contracts.TestUSDC, budget],
  });
  expect(await decide(treasury as Hex, data, 1n)).toMatchObject({ state: "executed", treasury });
  expect((await stack.client.treasury.budgets({ treasury })).items).toMatchObject([
    { spender: agent.address },
  ]);
  expect((await stack.client.treasury.budgets()).items, "the configured one gave no budget").toEqual([]);

  const before = await balance();
  const ask = { key: "paper", to: shop.address, treasury: treasury as Hex };
  expect(await stack.agent(4).spend({ ...ask, amount: "10" })).toMatchObject({ outcome: "paid" });
  const asked = await stack.agent(4).spend({ ...ask, key: "lab", amount: "40" });
  expect(asked.outcome).toBe("proposed");
  const proposal = await stack.client.treasury.proposal({ proposalId: asked.proposalId as Hex });
  expect(proposal).toMatchObject({
    treasury,
    words: `Pay 40 USDC to ${shop.address} for "Ada" (${agent.address}, self-chosen name)`,
  });
  for (const owner of [first, second])
    await stack.client.treasury.approve({
      proposalId: proposal.proposalId,
      owner: owner.address,
      signature: await owner.signTypedData(typedProposal(proposal, { chainId, address: treasury })),
    });
  expect(await stack.client.treasury.execute({ proposalId: proposal.proposalId })).toMatchObject({
    state: "executed",
  });
  expect(await balance()).toBe(before + usdc("50"));
  expect((await stack.client.treasury.proposals()).items, "the configured one has none").toEqual([]);
});

test("a call of another Treasury is told as that one's, and one of a stranger's not as a Treasury's at all", async () => {
  const { address: treasury } = await stack.operator.treasury.create(terms);
  const data = encodeFunctionData({ abi: treasuryAbi, functionName: "addOwner", args: [shop.address] });
  await wallet(first).writeContract({
    address: contracts.Treasury,
    abi: treasuryAbi,
    functionName: "propose",
    args: [
      [
        { to: contracts.Treasury, value: 0n, data },
        { to: treasury as Hex, value: 1n, data },
        { to: contracts.TreasuryImplementation, value: 0n, data },
      ],
      77n,
      BigInt(Math.floor(Date.now() / 1000) + 86_400),
    ],
  });
  const { items } = await until(
    () => stack.client.treasury.proposals(),
    (page) => page.items.some(({ nonce }) => nonce === "77"),
  );
  const calls = items.find(({ nonce }) => nonce === "77")?.calls;
  const stranger = `the TreasuryImplementation contract (${contracts.TreasuryImplementation})`;
  expect(calls?.map(({ words }) => words)).toEqual([
    `Add ${shop.address} as an owner`,
    `In another Treasury (${treasury}): Add ${shop.address} as an owner, and send 0.000000000000000001 ETH to another Treasury (${treasury}) with it`,
    `Call ${stranger} with data that Bursar cannot read: what it does is not told here`,
  ]);
  expect(calls?.map(({ warnings }) => warnings.toSorted())).toEqual([
    ["changesOwners"],
    ["changesOwners", "nativeValue", "otherTreasury"],
    ["unknownContract", "unreadableData"],
  ]);
});

test("one that stands already is adopted with its past; what is no Treasury is not", async () => {
  const salt = `0x${"7".repeat(64)}` as const;
  const args = [[first.address, second.address], 2n, salt] as const;
  const factory = { address: contracts.TreasuryFactory, abi: treasuryFactoryAbi } as const;
  const treasury = await chain().readContract({ ...factory, functionName: "treasuryOf", args });
  for (const call of [
    () => wallet(first).writeContract({ ...factory, functionName: "createTreasury", args }),
    () =>
      wallet(first).writeContract({
        address: treasury,
        abi: treasuryAbi,
        functionName: "propose",
        args: [
          [{ to: shop.address, value: 0n, data: "0x" }],
          9n,
          BigInt(Math.floor(Date.now() / 1000) + 86_400),
        ],
      }),
  ])
    await testChain(stack).waitForTransactionReceipt({ hash: await call() });

  await expect(stack.client.treasury.show({ treasury })).rejects.toMatchObject({ code: "TREASURY_UNKNOWN" });
  await expect(stack.operator.treasury.adopt({ address: contracts.TestUSDC })).rejects.toMatchObject({
    code: "VALIDATION_INVALID_INPUT",
  });
  expect(await stack.operator.treasury.adopt({ address: treasury })).toMatchObject({ origin: "adopted" });
  expect(
    (await stack.client.treasury.proposals({ treasury })).items,
    "made before it was adopted",
  ).toMatchObject([{ treasury, nonce: "9", state: "open" }]);
  const { items } = await stack.client.treasury.list();
  expect(items.map(({ origin }) => origin)).toEqual(["configured", "created", "adopted"]);
});
