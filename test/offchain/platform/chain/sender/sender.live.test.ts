import type { Address, Hex } from "viem";
import { describe, expect, test } from "vitest";
import { reopenDropped } from "#offchain/platform/chain/sender/finalityStore.ts";
import { attemptsOf } from "#offchain/platform/chain/sender/transactionStore.ts";
import { ended, spawnChild } from "../../../support/child.ts";
import { until } from "../../../support/node.ts";
import { mintData } from "../../../support/token.ts";

import {
  admin,
  alice,
  clock,
  database,
  eachWithSenders,
  indexer,
  minted,
  mintRequest,
  newSender,
  node,
  pendingHashes,
  restartNode,
  startSender,
  token,
  transferRequest,
} from "./senders.ts";

eachWithSenders();

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
      (count) => count === 2,
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

  test("tells of a transaction once, when it is final: not of the block that was dropped", async () => {
    const told: bigint[] = [];
    const final = ({ id }: { id: bigint }) => void told.push(id);
    const limits = { finalityBlocks: 5n, rebroadcastAfterMs: 50 };
    const senders = [newSender(limits, admin, { final }), newSender(limits, admin, { final })];
    for (const sender of senders) await sender.start();
    const [sender] = senders;
    if (!sender) throw new Error("there is no sender");
    const snapshot = await node.client.snapshot();
    const id = await sender.enqueue(mintRequest("a", 5n));
    await sender.wait(id);
    await node.client.revert({ id: snapshot });
    await until(minted, (balance) => balance === 5n);
    await sender.wait(id);
    expect(told).toEqual([]);
    await node.client.mine({ blocks: 6 });
    await until(
      () => sender.find(id),
      (found) => found?.final === true,
    );
    await until(
      async () => told.length,
      (count) => count > 0,
    );
    expect(told).toEqual([id]);
  });

  test("and a provider that is behind does not bring back what is final", async () => {
    const sender = await startSender({ finalityBlocks: 1n });
    const id = await sender.enqueue(mintRequest("a", 5n));
    const { blockNumber, nonce } = await sender.wait(id);
    await node.client.mine({ blocks: 3 });
    await until(
      () => sender.find(id),
      (found) => found?.final === true,
    );
    await sender.stop();
    const { runId } = indexer.status();
    const at = (head: bigint) =>
      reopenDropped(database.sql, runId, admin.address, { nextNonce: nonce ?? 0, head }, clock.now());
    await at((blockNumber ?? 0n) - 1n);
    expect(await sender.find(id)).toMatchObject({ state: "mined", final: true });
    await at(blockNumber ?? 0n);
    expect(await sender.find(id), "a chain that is past its block is believed").toMatchObject({
      state: "sent",
    });
  });

  test("and restarts loses what was not mined on it", async () => {
    await node.client.setAutomine(false);
    const sender = await startSender();
    const id = await sender.enqueue(mintRequest("a", 5n));
    await until(pendingHashes, ({ length }) => length === 1);
    await restartNode();
    // Whoever waits is told that the chain is away, until another one is there.
    await until(
      () => sender.find(id),
      (found) => found?.state === "run_lost",
    );
    await expect(sender.wait(id)).rejects.toMatchObject({ code: "TRANSACTION_LOST" });
    expect(await sender.find(id)).toMatchObject({ final: true });
    expect(await node.client.getTransactionCount({ address: admin.address })).toBe(0);
  });
});
