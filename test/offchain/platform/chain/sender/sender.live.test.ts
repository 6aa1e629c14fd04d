import { type Address, encodeFunctionData, type Hex, type LocalAccount } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import { connectChain } from "#offchain/platform/chain/client/client.ts";
import { Indexer } from "#offchain/platform/chain/indexer/indexer.ts";
import type { TransactionRequest } from "#offchain/platform/chain/port.ts";
import type { SenderObserver } from "#offchain/platform/chain/sender/delivery.ts";
import type { SenderLimits } from "#offchain/platform/chain/sender/limits.ts";
import { loseUnmined, Sender } from "#offchain/platform/chain/sender/sender.ts";
import { attemptsOf } from "#offchain/platform/chain/sender/transactionStore.ts";
import { ended, spawnChild } from "../../../support/child.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../../support/database.ts";
import { indexing, sending } from "../../../support/limits.ts";
import { devAccount, type LocalNode, startNode, until } from "../../../support/node.ts";
import { balanceHandler, createBalances, deployToken, mintData } from "../../../support/token.ts";

const admin = devAccount(0);
const alice = devAccount(4).address;
const clock = { now: () => Date.now() };

let node: LocalNode;
let server: TestServer;
let database: TestDatabase;
let token: Address;
let indexer: Indexer;
const senders: Sender[] = [];

beforeAll(async () => {
  [node, server] = await Promise.all([startNode(), startTestServer()]);
});
afterAll(async () => {
  await node.stop();
  await server.stop();
});

beforeEach(async () => {
  database = await server.create();
  await createBalances(database.sql);
  token = await deployToken(node);
  indexer = new Indexer({
    client: connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 }),
    sql: database.sql,
    clock,
    handlers: [balanceHandler(token)],
    onNewRun: [loseUnmined(clock)],
    limits: { ...indexing, shrinkToleranceMs: 0 },
  });
  await indexer.start();
});
afterEach(async () => {
  await node.client.setAutomine(true);
  for (const sender of senders.splice(0)) await sender.stop();
  await indexer.stop();
  await database.close();
});

async function startSender(limits: Partial<SenderLimits> = {}, account = admin): Promise<Sender> {
  const sender = newSender(limits, account);
  await sender.start();
  return sender;
}

function newSender(
  limits: Partial<SenderLimits> = {},
  account: LocalAccount = admin,
  observer: SenderObserver = {},
): Sender {
  const sender = new Sender({
    client: connectChain({ chainId: 31337, rpcUrl: node.url, pollIntervalMs: 50 }),
    sql: database.sql,
    clock,
    account,
    observer,
    abis: { TestUSDC: testUsdcAbi },
    limits: { ...sending, pollIntervalMs: 50, ...limits },
  });
  senders.push(sender);
  return sender;
}

const mintRequest = (key: string, amount: bigint) => ({
  key,
  to: token,
  data: mintData(alice, amount),
  purpose: "mint",
});

const transferRequest = (key: string, amount: bigint) => ({
  key,
  to: token,
  data: encodeFunctionData({ abi: testUsdcAbi, functionName: "transfer", args: [alice, amount] }),
  purpose: "transfer",
});

const minted = (): Promise<bigint> =>
  node.client.readContract({ address: token, abi: testUsdcAbi, functionName: "balanceOf", args: [alice] });

const pendingHashes = async (): Promise<readonly Hex[]> =>
  (await node.client.getBlock({ blockTag: "pending" })).transactions;

describe("the queue", () => {
  test("sends a request once, and says what became of it", async () => {
    const sender = await startSender();
    const id = await sender.enqueue(mintRequest("a", 5n));
    const sent = await sender.wait(id);
    expect(sent).toMatchObject({ state: "mined", success: true, key: "a", purpose: "mint", to: token });
    expect(sent.gasUsed).toBeGreaterThan(21_000n);
    expect(await minted()).toBe(5n);
  });

  test("sends the same key once, however often it is asked for", async () => {
    const sender = await startSender();
    const ids = await Promise.all([1, 2, 3].map(() => sender.enqueue(mintRequest("a", 5n))));
    await sender.wait(ids[0] ?? 0n);
    expect(await sender.enqueue(mintRequest("a", 5n))).toBe(ids[0]);
    expect(new Set(ids).size).toBe(1);
    expect(await minted()).toBe(5n);
  });

  test("refuses a key for another call", async () => {
    const sender = newSender();
    await sender.enqueue(mintRequest("a", 5n));
    await expect(sender.enqueue(mintRequest("a", 6n))).rejects.toMatchObject({
      code: "IDEMPOTENCY_CONFLICT",
    });
  });

  test("gives out every nonce once to concurrent requests", async () => {
    const sender = await startSender();
    const before = await node.client.getTransactionCount({ address: admin.address });
    const ids = await Promise.all(
      Array.from({ length: 25 }, (_, index) => sender.enqueue(mintRequest(`key ${index}`, 1n))),
    );
    const sent = await Promise.all(ids.map((id) => sender.wait(id)));
    const nonces = sent.map(({ nonce }) => nonce ?? -1).toSorted((one, other) => one - other);
    expect(nonces).toEqual(Array.from({ length: 25 }, (_, index) => before + index));
    expect(await minted()).toBe(25n);
  });

  test("gives out every nonce once to two instances with one key", async () => {
    const [one, other] = [await startSender(), await startSender()];
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 ? one : other).enqueue(mintRequest(`key ${index}`, 1n)),
      ),
    );
    const sent = await Promise.all(ids.map((id) => one.wait(id)));
    expect(new Set(sent.map(({ nonce }) => nonce)).size).toBe(20);
    expect(await minted()).toBe(20n);
  });

  test("keeps a request only if the caller's transaction commits", async () => {
    const sender = await startSender();
    const lost = database.sql.begin(async (tx) => {
      await sender.enqueueTx(tx, mintRequest("lost", 7n));
      throw new Error("rolled back");
    });
    await expect(lost).rejects.toThrow("rolled back");
    const id = await database.sql.begin((tx) => sender.enqueueTx(tx, mintRequest("kept", 5n)));
    await sender.wait(id);
    expect(await minted()).toBe(5n);
  });

  test("sends a call that works only after the one before it", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender();
    await sender.enqueue({ ...mintRequest("mint", 0n), data: mintData(admin.address, 9n) });
    const id = await sender.enqueue(transferRequest("transfer", 9n));
    await until(
      async () => (await pendingHashes()).length,
      (count) => count > 0,
    );
    await node.client.mine({ blocks: 1 });
    await node.client.setAutomine(true);
    await sender.wait(id);
    expect(await minted()).toBe(9n);
  });
});

describe("a call that reverts", () => {
  const insufficient = {
    code: "TRANSACTION_REVERTED",
    facts: { contract: "TestUSDC", error: "ERC20InsufficientBalance" },
  };

  test("is not sent, and names its error and figures", async () => {
    const sender = await startSender();
    const before = await node.client.getTransactionCount({ address: admin.address });
    const id = await sender.enqueue(transferRequest("a", 9n));
    await expect(sender.wait(id)).rejects.toMatchObject(insufficient);
    await expect(sender.wait(id)).rejects.toMatchObject({
      facts: { args: JSON.stringify({ sender: admin.address, balance: "0", needed: "9" }) },
    });
    expect(await node.client.getTransactionCount({ address: admin.address })).toBe(before);
    expect(await sender.find(id)).toMatchObject({ state: "failed", nonce: null, final: true });
  });

  test("says so when it is only simulated", async () => {
    await expect(newSender().simulate(transferRequest("a", 9n))).rejects.toMatchObject(insufficient);
    await expect(newSender().simulate(mintRequest("b", 9n))).resolves.toBeUndefined();
  });

  test("after it was sent is reported with its error, too", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender();
    // The simulation sees the balance that the transaction in front of it takes away.
    await node.client.sendTransaction({ to: token, data: mintData(admin.address, 9n) });
    await node.client.mine({ blocks: 1 });
    const id = await sender.enqueue(transferRequest("a", 9n));
    const hash = await until(pendingHashes, (hashes) => hashes.length > 0);
    expect(hash).toHaveLength(1);
    await node.client.setStorageAt({
      address: token,
      index: await balanceSlot(admin.address),
      value: `0x${"0".repeat(64)}`,
    });
    await node.client.mine({ blocks: 2 });
    await expect(sender.wait(id)).rejects.toMatchObject({ code: "TRANSACTION_REVERTED" });
    expect(await sender.find(id)).toMatchObject({ state: "mined", success: false });
  });
});

/** Where an ERC-20 of OpenZeppelin keeps a balance: its mapping is the first storage variable. */
async function balanceSlot(account: Address): Promise<Hex> {
  const { encodeAbiParameters, keccak256 } = await import("viem");
  return keccak256(encodeAbiParameters([{ type: "address" }, { type: "uint256" }], [account, 0n]));
}

describe("a process that is killed", () => {
  for (const killed of ["before", "after"] as const)
    test(`${killed} its broadcast sends exactly once`, async () => {
      const id = await newSender().enqueue(mintRequest("a", 5n));
      const { connection } = database;
      const child = spawnChild("sender.child.ts", { rpcUrl: node.url, connection, token, killed });
      expect(await ended(child)).toBe("SIGKILL");
      const [signed] = await attemptsOf(database.sql, id);
      expect(await minted()).toBe(killed === "before" ? 0n : 5n);

      const sender = await startSender();
      const sent = await sender.wait(id);
      expect(sent.hash).toBe(signed?.hash);
      expect(await attemptsOf(database.sql, id)).toHaveLength(1);
      expect(await minted()).toBe(5n);
    });
});

test("an operator without money for gas is told so, and goes on once it has some", async () => {
  const refused: string[] = [];
  const poor = privateKeyToAccount(generatePrivateKey());
  const sender = newSender({ rebroadcastAfterMs: 100 }, poor, {
    refused: (step) => refused.push(step.problem),
  });
  const id = await sender.enqueue({ key: "poor", to: alice, data: "0x", purpose: "call" });
  await sender.start();
  await expect(sender.wait(id, 3_000)).rejects.toMatchObject({
    code: "CHAIN_UNAVAILABLE",
    message: expect.stringMatching(/is not mined yet: .*(funds|balance)/i),
  });
  expect(refused[0]).toMatch(/funds|balance/i);
  await node.client.setBalance({ address: poor.address, value: 10n ** 18n });
  expect(await sender.wait(id)).toMatchObject({ success: true });
});

/** Counts from 150,000 to 0, for some 4,000,000 gas. */
const burner = "0x6d620249f05b600190038060045700600052600e6012f3";

describe("a call that needs more gas than is paid for", () => {
  let request: (key: string) => TransactionRequest;
  beforeEach(async () => {
    const hash = await node.client.sendTransaction({ data: burner });
    const { contractAddress } = await node.client.waitForTransactionReceipt({ hash });
    request = (key) => ({ key, to: contractAddress ?? "0x", data: "0x", purpose: "burn" });
  });

  test("is refused to a caller before it is stored, and sent where more is allowed", async () => {
    const sender = await startSender();
    await expect(sender.relay(request("burn"))).rejects.toMatchObject({
      code: "TRANSACTION_TOO_EXPENSIVE",
      facts: { gasMax: 3_000_000n },
    });
    const id = await sender.relay({ ...request("burn"), gasMax: 6_000_000n });
    expect(await sender.wait(id)).toMatchObject({ success: true });
  });

  test("fails alone when no node would take it: what comes after it is sent", async () => {
    const sender = newSender({ transactionGasMax: 2_000_000n });
    const [burn, next] = [
      await sender.enqueue(request("burn")),
      await sender.enqueue(mintRequest("next", 5n)),
    ];
    await sender.start();
    await expect(sender.wait(burn)).rejects.toMatchObject({ code: "TRANSACTION_TOO_EXPENSIVE" });
    expect(await sender.wait(next)).toMatchObject({ success: true });
  });

  test("is never signed for more than is paid for", async () => {
    const sender = await startSender();
    const id = await sender.relay({ ...request("burn"), gasMax: 4_200_000n });
    expect(await sender.wait(id)).toMatchObject({ success: true });
    expect((await attemptsOf(database.sql, id))[0]?.gas).toBe(4_200_000n);
  });
});

describe("what callers ask for", () => {
  const rows = async () =>
    (await database.sql<{ count: number }[]>`SELECT count(*)::int FROM chain_transaction`)[0]?.count;

  test("is refused with the contract's reason before it is stored, if it would not work", async () => {
    const sender = await startSender();
    const refused = await Promise.allSettled(
      Array.from({ length: 100 }, (_, at) => sender.relay(transferRequest(`garbage:${at}`, 10n ** 30n))),
    );
    for (const one of refused)
      expect(one).toMatchObject({ status: "rejected", reason: { code: "TRANSACTION_REVERTED" } });
    expect(await rows()).toBe(0);
  });

  test("is refused when too many wait already, the service's own is not, and a repeat is answered", async () => {
    const sender = newSender({ maxRelayed: 3 });
    const ids: bigint[] = [];
    for (let at = 0; at < 3; at += 1) ids.push(await sender.relay(mintRequest(`caller:${at}`, 1n)));
    await expect(sender.relay(mintRequest("caller:3", 1n))).rejects.toMatchObject({
      code: "OVERLOADED",
      facts: { limit: 3 },
    });
    expect(await sender.relay(mintRequest("caller:0", 1n))).toBe(ids[0]);
    await sender.enqueue(mintRequest("own", 1n));
    expect(await rows()).toBe(4);
  });

  test("is refused when too many are simulated already", async () => {
    const sender = await startSender({ maxJudged: 1, maxToJudge: 1 });
    const asked = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => sender.relay(mintRequest(`caller:${at}`, 1n))),
    );
    const codes = asked.map((one) => (one.status === "rejected" ? one.reason.code : "stored"));
    expect(new Set(codes)).toEqual(new Set(["stored", "OVERLOADED"]));
  });

  test("waits behind the service's own: twenty settlements go out first, among two hundred spends of one coin", async () => {
    await node.client.setAutomine(false);
    const sender = newSender({ maxInFlight: 40 });
    // Each works alone; the first uses up what the others would need.
    await node.client.writeContract({
      address: token,
      abi: testUsdcAbi,
      functionName: "mint",
      args: [admin.address, 5n],
    });
    await node.client.mine({ blocks: 1 });
    const spends: bigint[] = [];
    for (let at = 0; at < 200; at += 1) spends.push(await sender.relay(transferRequest(`spend:${at}`, 5n)));
    const own: bigint[] = [];
    for (let at = 0; at < 20; at += 1) own.push(await sender.enqueue(mintRequest(`own:${at}`, 1n)));
    await sender.start();
    await until(pendingHashes, ({ length }) => length >= 21);
    await node.client.mine({ blocks: 1 });
    for (const id of own) expect(await sender.wait(id)).toMatchObject({ success: true });
    const [first] = own;
    expect((await sender.find(first ?? 0n))?.blockNumber).toBe(
      (await sender.find(own[19] ?? 0n))?.blockNumber,
    );
    await node.client.setAutomine(true);
    await node.client.mine({ blocks: 1 });
    const told = await Promise.allSettled(spends.map((id) => sender.wait(id)));
    expect(told.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  }, 120_000);
});

describe("a transaction that is not mined", () => {
  test("is sent again dearer under the same nonce, and counts once", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender({ stuckAfterMs: 200 });
    const id = await sender.enqueue(mintRequest("a", 5n));
    const attempts = await until(
      () => attemptsOf(database.sql, id),
      ({ length }) => length >= 3,
    );
    expect(new Set(attempts.map(({ nonce }) => nonce)).size).toBe(1);
    const [dearest, ...cheaper] = attempts.map(({ maxFeePerGas }) => maxFeePerGas);
    for (const fee of cheaper) expect(dearest).toBeGreaterThan(fee);
    await node.client.setAutomine(true);
    await node.client.mine({ blocks: 1 });
    expect((await sender.wait(id)).success).toBe(true);
    expect(await minted()).toBe(5n);
  });

  test("never costs more than the limit", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender({ stuckAfterMs: 50, maxFeePerGas: 6_000_000_000n });
    const id = await sender.enqueue(mintRequest("a", 5n));
    await until(
      () => attemptsOf(database.sql, id),
      ({ length }) => length >= 2,
    );
    await node.client.mine({ blocks: 1 });
    await sender.wait(id);
    for (const { maxFeePerGas } of await attemptsOf(database.sql, id))
      expect(maxFeePerGas).toBeLessThanOrEqual(6_000_000_000n);
  });

  test("because the provider dropped it is broadcast again", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender({ rebroadcastAfterMs: 50 });
    const id = await sender.enqueue(mintRequest("a", 5n));
    const [hash] = await until(pendingHashes, ({ length }) => length === 1);
    if (!hash) throw new Error("nothing pending");
    await node.client.dropTransaction({ hash });
    expect(await until(pendingHashes, ({ length }) => length === 1)).toEqual([hash]);
    await node.client.mine({ blocks: 1 });
    expect((await sender.wait(id)).hash).toBe(hash);
  });

  test("because the provider dropped it is broadcast again, though its fee can rise no more", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender({
      stuckAfterMs: 50,
      rebroadcastAfterMs: 50,
      maxFeePerGas: 6_000_000_000n,
    });
    const id = await sender.enqueue(mintRequest("a", 5n));
    await until(
      () => attemptsOf(database.sql, id),
      ([dearest]) => (dearest?.maxFeePerGas ?? 0n) * 113n > 600_000_000_000n,
    );
    for (const hash of await pendingHashes()) await node.client.dropTransaction({ hash });
    await until(pendingHashes, ({ length }) => length === 1);
    await node.client.mine({ blocks: 1 });
    expect((await sender.wait(id)).success).toBe(true);
  });

  test("because a foreign transaction took its nonce is sent anew once that is final", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender({ finalityBlocks: 3n });
    const id = await sender.enqueue(mintRequest("a", 5n));
    const [hash] = await until(pendingHashes, ({ length }) => length === 1);
    const { nonce } = await node.client.getTransaction({ hash: hash ?? "0x" });
    await node.client.sendTransaction({
      to: alice,
      value: 1n,
      nonce,
      maxFeePerGas: 90_000_000_000n,
      maxPriorityFeePerGas: 90_000_000_000n,
    });
    await node.client.mine({ blocks: 1 });
    await until(
      () => sender.find(id),
      (found) => found?.state === "replaced",
    );
    await node.client.setAutomine(true);
    await node.client.mine({ blocks: 3 });
    const sent = await sender.wait(id);
    expect(sent.nonce).toBe(nonce + 1);
    expect(await minted()).toBe(5n);
  });
});

describe("a chain that changes its mind", () => {
  test("gets a dropped transaction again, and it counts once", async () => {
    const sender = await startSender({ rebroadcastAfterMs: 50 });
    const snapshot = await node.client.snapshot();
    const id = await sender.enqueue(mintRequest("a", 5n));
    const { hash } = await sender.wait(id);
    await node.client.revert({ id: snapshot });
    expect(await minted()).toBe(0n);
    await until(minted, (balance) => balance === 5n);
    expect((await sender.wait(id)).hash).toBe(hash);
    expect(await minted()).toBe(5n);
  });

  test("about the foreign transaction that took a nonce gives the nonce back", async () => {
    await node.client.setAutomine(false);
    const snapshot = await node.client.snapshot();
    const sender = await startSender({ rebroadcastAfterMs: 50 });
    const id = await sender.enqueue(mintRequest("a", 5n));
    const [hash] = await until(pendingHashes, ({ length }) => length === 1);
    const { nonce } = await node.client.getTransaction({ hash: hash ?? "0x" });
    const fee = 90_000_000_000n;
    await node.client.sendTransaction({
      to: alice,
      value: 1n,
      nonce,
      maxFeePerGas: fee,
      maxPriorityFeePerGas: fee,
    });
    await node.client.mine({ blocks: 1 });
    await until(
      () => sender.find(id),
      (found) => found?.state === "replaced",
    );
    await node.client.revert({ id: snapshot });
    await node.client.setAutomine(true);
    expect((await sender.wait(id)).nonce).toBe(nonce);
    // What comes after it is not held up by a nonce that nobody uses.
    expect((await sender.wait(await sender.enqueue(mintRequest("b", 1n)))).nonce).toBe(nonce + 1);
    expect(await minted()).toBe(6n);
  });

  test("makes a transaction final only below the reach of reorgs", async () => {
    const sender = await startSender({ finalityBlocks: 5n });
    const id = await sender.enqueue(mintRequest("a", 5n));
    expect(await sender.wait(id)).toMatchObject({ final: false });
    await node.client.mine({ blocks: 6 });
    await until(
      () => sender.find(id),
      (found) => found?.final === true,
    );
  });

  test("and restarts loses what was not mined on it", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender();
    const id = await sender.enqueue(mintRequest("a", 5n));
    await until(pendingHashes, ({ length }) => length === 1);
    const waiting = expect(sender.wait(id)).rejects.toMatchObject({ code: "TRANSACTION_LOST" });
    await node.stop();
    node = await startNode(node.port);
    await waiting;
    expect(await sender.find(id)).toMatchObject({ state: "run_lost", final: true });
    expect(await node.client.getTransactionCount({ address: admin.address })).toBe(0);
  });
});
