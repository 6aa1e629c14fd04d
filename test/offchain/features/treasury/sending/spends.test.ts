import { encodeAbiParameters, encodeEventTopics, getAbiItem, TransactionReceiptNotFoundError } from "viem";
import { describe, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { BursarError } from "#offchain/core/error.ts";
import { openSpends } from "#offchain/features/treasury/sending/spends.ts";
import type { ToldSpends } from "#offchain/features/treasury/sending/told.ts";

const address = (byte: string) => `0x${byte.repeat(20)}` as const;
const word = (byte: string) => `0x${byte.repeat(32)}` as const;
const [treasury, other, agent] = [address("aa"), address("bb"), address("cc")];
const hash = word("01");

const opened = (at: `0x${string}`, id: `0x${string}`) => {
  const { inputs } = getAbiItem({ abi: treasuryAbi, name: "ProposalOpened" });
  return {
    address: at,
    topics: encodeEventTopics({
      abi: treasuryAbi,
      eventName: "ProposalOpened",
      args: { id, proposer: agent, nonce: 1n },
    }),
    data: encodeAbiParameters(
      inputs.filter((input) => !("indexed" in input && input.indexed)),
      [[], 5n, 2n, word("02")] as never,
    ),
  };
};

const asked = {
  agent,
  token: address("dd"),
  to: address("ee"),
  amount: 1n,
  reference: word("03"),
  nonce: 1n,
  validBefore: 9n,
  signature: "0x",
} as const;

const untold: ToldSpends = { find: async () => null, findNow: async () => null };

const spend = (getTransactionReceipt: () => Promise<unknown>) =>
  openSpends({
    client: { getTransactionReceipt } as never,
    contractOf: () => ({ address: treasury }) as never,
    send: async () => hash,
    tokens: {} as never,
    told: untold,
  }).spend(asked);

test("a spend was proposed when its transaction says so, whatever events are read by then", async () => {
  expect(await spend(async () => ({ logs: [opened(treasury, word("04"))] }))).toEqual({
    transactionHash: hash,
    outcome: "proposed",
    proposalId: word("04"),
    readyAt: null,
  });
});

test("a spend was paid when the Treasury opened no proposal, even if another contract says it did", async () => {
  const paid = { transactionHash: hash, outcome: "paid", proposalId: null, readyAt: null };
  expect(await spend(async () => ({ logs: [] }))).toEqual(paid);
  expect(await spend(async () => ({ logs: [opened(other, word("04"))] }))).toEqual(paid);
});

test("nothing is said of a transaction that the node does not show: the same request asks again", async () => {
  const missing = async () => {
    throw new TransactionReceiptNotFoundError({ hash });
  };
  await expect(spend(missing)).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE", remedy: "retry" });
});

test("whoever has no budget is refused before the chain runs anything; a spend that stands already is not asked again", async () => {
  const tried: string[] = [];
  const asking = (isStanding: boolean) =>
    openSpends({
      client: { getTransactionReceipt: async () => ({ logs: [] }) } as never,
      contractOf: () =>
        ({
          address: treasury,
          budgetsOf: async () => [{ isActive: false }],
          usesOf: async () => ({ nonce: false, reference: false }),
        }) as never,
      send: async ({ key }, authorise) => {
        if (!isStanding) await authorise?.();
        tried.push(key);
        return hash;
      },
      tokens: {} as never,
      told: untold,
    }).spend(asked);
  await expect(asking(false)).rejects.toMatchObject({
    code: "POLICY_DENIED",
    message:
      "the Treasury refuses it: the agent has no budget for this token; the owners give one by a proposal",
    facts: { agent, token: address("dd") },
  });
  expect(tried).toEqual([]);
  expect(await asking(true)).toMatchObject({ outcome: "paid" });
});

describe("what the contract does not take", () => {
  const paid = { transactionHash: word("05"), outcome: "paid", proposalId: null, readyAt: null } as const;
  const refused = (error: string) =>
    new BursarError("TRANSACTION_REVERTED", "the call reverts", { facts: { error, args: "{}" } });
  const relay = (
    error: BursarError,
    used: { nonce: boolean; reference: boolean },
    now: Awaited<ReturnType<ToldSpends["findNow"]>>,
  ) =>
    openSpends({
      client: {} as never,
      contractOf: () => ({ address: treasury, usesOf: async () => used }) as never,
      send: async () => {
        throw error;
      },
      tokens: {} as never,
      told: { find: async () => null, findNow: async () => now },
    }).spend(asked);
  const [both, neither] = [
    { nonce: true, reference: true },
    { nonce: false, reference: false },
  ];

  test.each(["Treasury_SpendNonceUsed", "Treasury_ReferenceUsed", "Treasury_Expired", "none"])(
    "is paid when another transaction has paid it (%s)",
    async (error) => expect(await relay(refused(error), both, paid)).toEqual(paid),
  );

  test("is not known while the events of its payment are not read: the same request asks again", async () => {
    const unread = { code: "CHAIN_UNAVAILABLE", remedy: "retry" };
    await expect(relay(refused("Treasury_SpendNonceUsed"), both, null)).rejects.toMatchObject(unread);
    await expect(
      relay(refused("Treasury_SpendNonceUsed"), neither, null),
      "a node that is behind",
    ).rejects.toMatchObject(unread);
    await expect(relay(refused("Treasury_ReferenceUsed"), neither, null)).rejects.toMatchObject(unread);
  });

  test("is refused when its reference stands for another payment, or nothing of it is used", async () => {
    const code = "TRANSACTION_REVERTED";
    await expect(relay(refused("Treasury_ReferenceUsed"), both, "another")).rejects.toMatchObject({ code });
    await expect(relay(refused("Treasury_Expired"), neither, null)).rejects.toMatchObject({ code });
    const cancelled = { nonce: true, reference: false };
    await expect(relay(refused("Treasury_SpendNonceUsed"), cancelled, null)).rejects.toMatchObject({ code });
  });

  test("is not looked for when the chain said nothing of it", async () => {
    const away = new BursarError("CHAIN_UNAVAILABLE", "the provider is away");
    await expect(relay(away, both, paid)).rejects.toBe(away);
  });
});
