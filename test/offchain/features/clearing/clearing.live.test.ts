import { createWalletClient, http, parseEventLogs } from "viem";
import type { HDAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clearingAbi, stakingAbi, testUsdcAbi } from "#contracts";
import { hardhat } from "#offchain/core/localChain.ts";
import { merkleTree } from "#offchain/core/merkle.ts";
import { packRows } from "#offchain/features/clearing/rules.ts";
import { signVoucher } from "#offchain/sdk/paying/channel.ts";
import type { PayingChannel } from "#offchain/sdk/paying/payingChannel.ts";
import { creditLeaf, type Receipt, verifyCredit, verifyReceipt } from "#offchain/sdk/receipt.ts";
import { verifySolvencyProof } from "#offchain/sdk/solvency.ts";
import {
  account,
  chainId,
  contracts,
  startTestStack,
  type TestStack,
  testChain,
  until,
} from "../../support/stack.ts";

const payer = account(4);
const [first, second] = [account(5), account(6)];
const operator = account(0).address;
const windowSeconds = 86_400;
const usdc = contracts.TestUSDC;
const staking = { address: contracts.Staking, abi: stakingAbi } as const;
const clearing = { address: contracts.Clearing, abi: clearingAbi } as const;

let stack: TestStack;
let hub: PayingChannel;

beforeAll(async () => {
  stack = await startTestStack({
    BURSAR_BATCH_SIZE: "1000",
    BURSAR_BATCH_MAX_DELAY_MS: "500",
    BURSAR_BATCH_MIN_AMOUNT: "1000",
    BURSAR_CLEARING_ROOT_EVERY_MS: "1000",
    BURSAR_SOLVENCY_FRESH_FOR_MS: "0",
  });
  for (const [index, name] of [
    [4, "Payer"],
    [5, "First"],
    [6, "Second"],
  ] as const)
    await stack.agent(index).register(name, "trader");
  hub = await stack.agent(4).openChannel({ deposit: "5" });
}, 240_000);

afterAll(() => stack?.stop());

const chain = () => testChain(stack);
const balanceOf = (holder: `0x${string}`) =>
  chain().readContract({ address: usdc, abi: testUsdcAbi, functionName: "balanceOf", args: [holder] });
const rootIn = (state: string, number: number) =>
  until(
    async () => (await stack.client.clearing.show()).roots.find((root) => root.number === number),
    (root) => root?.state === state,
  );

async function passWindow(): Promise<void> {
  await chain().increaseTime({ seconds: windowSeconds });
  await chain().mine({ blocks: 1 });
}

async function refused(body: object, by = 4) {
  const before = await stack.client.payments.list();
  const error = await stack
    .agent(by)
    .client.payments.pay(body as never, { isSigned: true })
    .then(
      () => null,
      (reason: { code: string; facts: object }) => reason,
    );
  expect(await stack.client.payments.list(), "nothing changed").toEqual(before);
  return error;
}

async function body(change: object = {}) {
  const { accepted } = await stack.client.channels.show({ channelId: hub.channelId });
  const next = BigInt(Math.round(Number(accepted.amount) * 1e6)) + 100n;
  return {
    key: `body-${next}`,
    channelId: hub.channelId,
    network: `eip155:${chainId}`,
    maxClaimableAmount: next.toString(),
    signature: await signVoucher(payer, chainId, { channelId: hub.channelId, maxClaimableAmount: next }),
    payee: first.address,
    ...change,
  };
}

describe("one deposit", () => {
  let receipts: Receipt[];

  test("pays any agent, each with the operator's signed receipt", async () => {
    receipts = [
      await hub.pay({ key: "a", amount: "0.5", payee: first.address }),
      await hub.pay({ key: "b", amount: "0.25", payee: second.address }),
      await hub.pay({ key: "c", amount: "0.125", payee: first.address }),
    ];
    expect(receipts.map(({ payee, credit }) => [payee, credit?.cumulative, credit?.root])).toEqual([
      [first.address, "500000", 1],
      [second.address, "250000", 1],
      [first.address, "625000", 1],
    ]);
    for (const receipt of receipts) {
      expect(await verifyReceipt(receipt, { operator, chainId })).toBe(true);
      const { cumulative, root, signature } = receipt.credit ?? { cumulative: "0", root: 0, signature: "0x" };
      const credit = {
        token: usdc,
        payee: receipt.payee as `0x${string}`,
        cumulative: BigInt(cumulative),
        epoch: BigInt(root),
      };
      expect(
        await verifyCredit(credit, signature as `0x${string}`, {
          operator,
          chainId,
          clearing: clearing.address,
        }),
      ).toBe(true);
    }
    const { items } = await stack.client.payments.list({ payee: first.address });
    expect(items.map(({ key }) => key)).toEqual(["c", "a"]);
  });

  test("a receipt in which anything is changed is nobody's word", async () => {
    const [receipt] = receipts;
    if (!receipt) throw new Error("no receipt");
    const other = { operator: account(1).address, chainId };
    expect(await verifyReceipt(receipt, other)).toBe(false);
    for (const change of [
      { payee: second.address },
      { amount: { amount: "0.6", unit: "USDC" as const } },
      { cumulative: "500001" },
      { acceptedAt: receipt.acceptedAt + 1 },
      { paymentId: "999" },
    ])
      expect(
        await verifyReceipt({ ...receipt, ...change }, { operator, chainId }),
        JSON.stringify(change),
      ).toBe(false);
  });

  test("is claimed into Clearing, and stays in the books", async () => {
    await until(
      () => stack.client.channels.show({ channelId: hub.channelId }),
      ({ claimed }) => claimed.amount === "0.875",
    );
    expect(await balanceOf(clearing.address)).toBe(875_000n);
    const report = await stack.operator.ledger.reconcile();
    expect(report).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true });
  });

  test("is owed to the payees, who can prove their part", async () => {
    const report = await stack.operator.solvency.take();
    const line = report.items.find(({ unit }) => unit === "USDC");
    expect(line).toMatchObject({
      isSolvent: true,
      parts: { credits: { amount: "0.875" } },
      surplus: { amount: "0" },
    });
    const proof = await stack.agent(5).client.solvency.proof({ unit: "USDC" });
    expect(proof.parts.credits).toBe("625000");
    expect(verifySolvencyProof(proof, { owner: first.address, root: line?.root ?? "0x" })).toMatchObject({
      isValid: true,
    });
  });

  test("a root promises what was credited; after its window the payees are paid", async () => {
    const root = await rootIn("pending", 1);
    expect(root).toMatchObject({ payees: 2, total: { amount: "0.875", unit: "USDC" }, openChallenges: 0 });
    const [low, high] = [first.address, second.address].sort((one, other) =>
      one.toLowerCase() < other.toLowerCase() ? -1 : 1,
    ) as [`0x${string}`, `0x${string}`];
    const amounts = { [first.address]: 625_000n, [second.address]: 250_000n };
    const leaves = [low, high].map((payee) =>
      Buffer.from(creditLeaf(payee, amounts[payee] ?? 0n).slice(2), "hex"),
    );
    expect(root?.root).toBe(`0x${Buffer.from(merkleTree(leaves).root).toString("hex")}`);
    const feed = await stack.client.events.list({ contract: "Clearing", event: "RootPosted" });
    expect(feed.items).toMatchObject([
      {
        change: "added",
        args: { epoch: "1", root: root?.root, total: "875000" },
      },
    ]);
    expect(
      (await stack.client.events.list({ limit: 200 })).items.map(({ event }) => event),
      "unfiltered as well",
    ).toContain("RootPosted");
    expect(await stack.client.clearing.standing({ payee: first.address })).toMatchObject({
      credited: { amount: "0.625" },
      paid: { amount: "0" },
      owed: { amount: "0.625" },
      claim: null,
    });
    const before = await balanceOf(first.address);
    await passWindow();
    await rootIn("paid", 1);
    expect((await balanceOf(first.address)) - before).toBe(625_000n);
    expect(await stack.client.clearing.standing({ payee: first.address })).toMatchObject({
      paid: { amount: "0.625" },
      owed: { amount: "0" },
      claim: { epoch: 1, cumulative: "625000" },
    });
    const report = await stack.operator.ledger.reconcile();
    expect(report).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true });
  });
});

describe("a challenge", () => {
  const walletOf = (holder: HDAccount) =>
    createWalletClient({ account: holder, chain: hardhat, transport: http(stack.rpcUrl) });
  const done = async (sent: Promise<`0x${string}`>) =>
    chain().waitForTransactionReceipt({ hash: await sent });
  const avtOf = (holder: `0x${string}`) =>
    chain().readContract({
      address: contracts.AgentToken,
      abi: testUsdcAbi,
      functionName: "balanceOf",
      args: [holder],
    });

  async function challenge(
    root: bigint,
    receipt: { cumulative: bigint; epoch: bigint; signature: `0x${string}` },
  ) {
    const { logs } = await done(
      walletOf(first).writeContract({
        ...clearing,
        functionName: "challenge",
        args: [
          root,
          { token: usdc, payee: first.address, cumulative: receipt.cumulative, epoch: receipt.epoch },
          receipt.signature,
        ],
      }),
    );
    const [event] = parseEventLogs({ abi: clearingAbi, logs, eventName: "Challenged" });
    return event?.args.challengeId ?? 0n;
  }

  test("by a receipt that the root contains is answered by the service", async () => {
    const paid = await hub.pay({ key: "d", amount: "0.1", payee: first.address });
    expect(paid.credit).toMatchObject({ root: 2, cumulative: "725000" });
    await rootIn("pending", 2);
    const challengeId = await challenge(2n, {
      cumulative: 725_000n,
      epoch: 2n,
      signature: paid.credit?.signature as `0x${string}`,
    });
    expect(challengeId).toBe(1n);
    await until(
      () => chain().readContract({ ...clearing, functionName: "rootOf", args: [usdc, 2n] }),
      ({ openChallenges }) => openChallenges === 0,
    );
    await passWindow();
    await rootIn("paid", 2);
  });

  test("of a payee whom a root left out costs the operator its bond, and the next root pays him", async () => {
    const paid = await hub.pay({ key: "e", amount: "0.2", payee: first.address });
    expect(paid.credit).toMatchObject({ root: 3, cumulative: "925000" });
    // The operator goes its own way: the root that it posts says what the last one said.
    await stack.killService();
    const standing = [
      { payee: first.address, cumulative: 725_000n },
      { payee: second.address, cumulative: 250_000n },
    ].sort((one, other) => (one.payee.toLowerCase() < other.payee.toLowerCase() ? -1 : 1));
    const rows = `0x${packRows(standing).toString("hex")}` as const;
    const liar = walletOf(account(0));
    await done(liar.writeContract({ ...clearing, functionName: "postRoot", args: [usdc, 3n, rows, rows] }));
    const bond = () => chain().readContract({ ...staking, functionName: "bondOf", args: [operator] });
    const [before, wealth] = [await bond(), await avtOf(first.address)];
    const challengeId = await challenge(3n, {
      cumulative: 925_000n,
      epoch: 3n,
      signature: paid.credit?.signature as `0x${string}`,
    });
    await passWindow();
    await done(walletOf(first).writeContract({ ...clearing, functionName: "enforce", args: [challengeId] }));
    const slashed = before - (await bond());
    expect(slashed).toBeGreaterThan(0n);
    // A tenth of the slash is the challenger's (slashRewardBps); the rest is burned.
    expect((await avtOf(first.address)) - wealth).toBe(slashed / 10n);
    // It repents: puts its bond right, and lets the service do its work.
    const avt = { address: contracts.AgentToken, abi: testUsdcAbi } as const;
    await done(liar.writeContract({ ...avt, functionName: "approve", args: [staking.address, slashed] }));
    // Staking costs more the more time has passed since the last change, so an estimate may fall short.
    const gas = 1_000_000n;
    await done(liar.writeContract({ ...staking, functionName: "stake", args: [operator, slashed], gas }));
    await stack.startService();
    await rootIn("void", 3);
    expect(await rootIn("pending", 4)).toMatchObject({ total: { amount: "1.175" } });
    const poor = await balanceOf(first.address);
    await passWindow();
    await rootIn("paid", 4);
    expect((await balanceOf(first.address)) - poor).toBe(200_000n);
    const report = await stack.operator.ledger.reconcile();
    expect(report).toMatchObject({ ledgerBalanced: true, chainMatchesLedger: true });
  });
});

describe("bad input on a cleared channel", () => {
  test("a payment that nobody signed for: SIGNATURE_MISSING", async () => {
    await expect(stack.client.payments.pay((await body()) as never)).rejects.toMatchObject({
      code: "SIGNATURE_MISSING",
    });
  });

  test("a voucher in another agent's request: FORBIDDEN", async () => {
    expect(await refused(await body(), 5)).toMatchObject({
      code: "FORBIDDEN",
      facts: { payer: payer.address },
    });
  });

  test("no payee: VALIDATION_INVALID_INPUT", async () => {
    expect(await refused(await body({ payee: undefined }))).toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "payee" },
    });
  });

  test("the payer itself: VALIDATION_INVALID_INPUT", async () => {
    expect(await refused(await body({ payee: payer.address }))).toMatchObject({
      code: "VALIDATION_INVALID_INPUT",
      facts: { field: "payee" },
    });
  });

  test("a payee whom nobody knows: AGENT_UNKNOWN", async () => {
    expect(await refused(await body({ payee: account(9).address }))).toMatchObject({ code: "AGENT_UNKNOWN" });
  });
});
