import { encodeAbiParameters, encodeEventTopics, getAbiItem, TransactionReceiptNotFoundError } from "viem";
import { expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { openSpends } from "#offchain/features/treasury/sending/spends.ts";

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
      [[], 5n, word("02")] as never,
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

const spend = (getTransactionReceipt: () => Promise<unknown>) =>
  openSpends({
    client: { getTransactionReceipt } as never,
    contractOf: () => ({ address: treasury }) as never,
    send: async () => hash,
    tokens: {} as never,
  }).spend(asked);

test("a spend was proposed when its transaction says so, whatever events are read by then", async () => {
  expect(await spend(async () => ({ logs: [opened(treasury, word("04"))] }))).toEqual({
    transactionHash: hash,
    outcome: "proposed",
    proposalId: word("04"),
  });
});

test("a spend was paid when the Treasury opened no proposal, even if another contract says it did", async () => {
  const paid = { transactionHash: hash, outcome: "paid", proposalId: null };
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
      contractOf: () => ({ address: treasury, budgetsOf: async () => [{ isActive: false }] }) as never,
      send: async ({ key }, authorise) => {
        if (!isStanding) await authorise?.();
        tried.push(key);
        return hash;
      },
      tokens: {} as never,
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
