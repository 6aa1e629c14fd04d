import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { beforeEach, describe, expect, test } from "vitest";
import { testUsdcAbi } from "#contracts";
import type { TransactionRequest } from "#offchain/platform/chain/port.ts";
import { attemptsOf } from "#offchain/platform/chain/sender/transactionStore.ts";
import { until } from "../../../support/node.ts";

import {
  admin,
  alice,
  database,
  eachWithSenders,
  mintRequest,
  newSender,
  node,
  pendingHashes,
  startSender,
  token,
  transferRequest,
} from "./senders.ts";

eachWithSenders();

test("an operator without money for gas is told so, and goes on once it has some", async () => {
  const refused: string[] = [];
  const poor = privateKeyToAccount(generatePrivateKey());
  const sender = newSender({ rebroadcastAfterMs: 100, stuckAfterMs: 200 }, poor, {
    refused: (step) => refused.push(step.problem),
  });
  const id = await sender.enqueue({ key: "poor", to: alice, data: "0x", purpose: "call" });
  await sender.start();
  await expect(sender.wait(id, 3_000)).rejects.toMatchObject({
    code: "CHAIN_UNAVAILABLE",
    message: expect.stringMatching(/is not mined yet: .*(funds|balance)/i),
  });
  expect(refused[0]).toMatch(/funds|balance/i);
  // Offered again and again, and never for more: it is not its fee that keeps it out.
  expect(refused.length).toBeGreaterThan(3);
  expect(await attemptsOf(database.sql, id)).toHaveLength(1);
  await node.client.setBalance({ address: poor.address, value: 10n ** 18n });
  expect(await sender.wait(id)).toMatchObject({ success: true });
});

test("an operator that is short of gas takes no caller's call, and sends its own", async () => {
  const short = privateKeyToAccount(generatePrivateKey());
  await node.client.setBalance({ address: short.address, value: 10n ** 16n });
  const sender = await startSender({ balanceMin: 10n ** 17n }, short);
  const request = { key: "call", to: alice, data: "0x", purpose: "call" } as const;
  await expect(sender.relay(request)).rejects.toMatchObject({
    code: "OVERLOADED",
    facts: { limit: 10n ** 17n },
  });
  await sender.admit({ ...request, key: "own" });
  expect(await sender.wait(await sender.enqueue({ ...request, key: "own" }))).toMatchObject({
    success: true,
  });
  await node.client.setBalance({ address: short.address, value: 10n ** 18n });
  expect(await sender.wait(await sender.relay(request))).toMatchObject({ success: true });
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

  test("is given no more gas than is paid for, however much its code would take", async () => {
    // Reverts with the gas that it has left: GAS, PUSH0, MSTORE, PUSH1 32, PUSH0, REVERT.
    const hash = await node.client.sendTransaction({ data: "0x665a5f5260205ffd5f5260076019f3" });
    const { contractAddress } = await node.client.waitForTransactionReceipt({ hash });
    const sender = await startSender();
    const left = async (gasMax?: bigint) => {
      const asked = { key: "left", to: contractAddress ?? "0x", data: "0x", purpose: "test" } as const;
      const refusal = await sender.relay({ ...asked, ...(gasMax && { gasMax }) }).catch((error) => error);
      expect(refusal).toMatchObject({ code: "TRANSACTION_REVERTED" });
      return BigInt(refusal.facts.error);
    };
    expect(await left()).toBeLessThan(3_000_000n);
    expect(await left(100_000n)).toBeLessThan(100_000n);
  });

  test("fails alone when no node would take it: what comes after it is sent", async () => {
    const sender = newSender({ transactionGasMax: 2_000_000n });
    const [burn, next] = [
      await sender.enqueue(request("burn")),
      await sender.enqueue(mintRequest("next", 5n)),
    ];
    await sender.start();
    // Whoever waits is told that the chain is away while a machine under load takes seconds for the estimate: it asks again.
    const end = await until(
      () => sender.wait(burn).catch(({ code }) => code),
      (code) => code !== "CHAIN_UNAVAILABLE",
    );
    expect(end).toBe("TRANSACTION_TOO_EXPENSIVE");
    expect(await sender.wait(next)).toMatchObject({ success: true });
  });

  test("is never signed for more than is paid for", async () => {
    const sender = await startSender();
    const id = await sender.relay({ ...request("burn"), gasMax: 4_200_000n });
    // On a busy machine the node takes seconds over so much gas, and `wait` takes it for a provider that says nothing.
    await until(
      () => sender.find(id),
      (found) => found?.state === "mined" && found.success === true,
    );
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
