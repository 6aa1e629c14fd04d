import {
  decodeFunctionData,
  getAddress,
  type Hex,
  type PublicClient,
  pad,
  size,
  toHex,
  zeroAddress,
} from "viem";
import { expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { openRehearsal } from "#offchain/features/treasury/proposals/rehearsal.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [treasury, token, shop] = [address("1"), address("2"), address("9")];
const owners = [address("c"), address("a"), address("b")];
const topic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const log = {
  address: token,
  topics: [topic, pad(treasury), pad(shop)],
  data: toHex(5n, { size: 32 }),
};

type Asked = { method: string; params: unknown[] };

/** A node that answers these methods, and knows no other. */
function open(answers: Record<string, unknown>, to = shop, times = 1) {
  const gases: bigint[] = [];
  const asked: Asked[] = [];
  const calls: { account: Hex; data: Hex; stateOverride: { address: Hex; code: Hex }[] }[] = [];
  const client = {
    async request({ method, params }: Asked) {
      asked.push({ method, params });
      if (!(method in answers)) throw new Error(`no method ${method}`);
      return answers[method];
    },
    call: async (call: (typeof calls)[number]) => void calls.push(call),
  } as unknown as PublicClient;
  const untrustedCode = new UntrustedCode((gasMax) => {
    gases.push(gasMax);
    return client as ChainReader;
  });
  const content = {
    calls: Array(times).fill({ to, value: 3n, data: "0x" as const }),
    nonce: 7n,
    deadline: 9n,
    threshold: 2n,
  };
  const membership = { owners, threshold: 2 };
  return {
    asked,
    calls,
    gases,
    rehearsal: openRehearsal(content, { client, untrustedCode, treasury, membership, blockNumber: 5n }),
  };
}

const inCoin = { token: zeroAddress, from: treasury, to: shop, amount: 3n };
const inToken = { token, from: treasury, to: shop, amount: 5n };

test("execute itself is called, with as many owners as decide, ascending, who are made to agree", async () => {
  const { rehearsal, calls } = open({});
  await rehearsal.run();
  const [call] = calls;
  if (!call) throw new Error("nothing was called");
  const { functionName, args } = decodeFunctionData({ abi: treasuryAbi, data: call.data });
  expect(functionName).toBe("execute");
  const signatures = args?.[3] as Hex[];
  expect(signatures.map((signature) => getAddress(signature.slice(0, 42)))).toEqual([owners[1], owners[0]]);
  for (const signature of signatures) expect([20, 64, 65]).not.toContain(size(signature));
  expect(call.stateOverride.map((override) => override.address).toSorted()).toEqual(
    [owners[0], owners[1]].toSorted(),
  );
});

test("an owner whom the proposal calls keeps its own code, if others can agree", async () => {
  const { rehearsal, calls } = open({}, owners[0]);
  await rehearsal.run();
  expect(calls[0]?.stateOverride.map((override) => override.address)).toEqual([owners[1], owners[2]]);
});

test("what moves is asked of eth_simulateV1, then of the tracer, then read from the calls", async () => {
  const simulated = open({ eth_simulateV1: [{ calls: [{ status: "0x1", logs: [log] }] }] });
  expect(await simulated.rehearsal.transfers()).toEqual({ transfers: [inToken], isComplete: true });
  const [{ params } = { params: [] }] = simulated.asked;
  expect(params).toMatchObject([
    { traceTransfers: true, blockStateCalls: [{ calls: [{ to: treasury }] }] },
    "0x5",
  ]);

  const frame = { type: "CALL", from: treasury, to: shop, value: "0x3", logs: [log] };
  const traced = open({ debug_traceCall: frame });
  expect(await traced.rehearsal.transfers()).toEqual({ transfers: [inCoin, inToken], isComplete: true });

  const failed = open({ debug_traceCall: { ...frame, error: "execution reverted" } });
  expect(await failed.rehearsal.transfers()).toEqual({ transfers: [inCoin], isComplete: false });
  expect(await open({}).rehearsal.transfers()).toEqual({ transfers: [inCoin], isComplete: false });
});

const transactionGas = 16_777_216n;

test("what is called has the gas of a transaction, and a token's balance less", async () => {
  const { rehearsal, gases } = open({});
  await rehearsal.run();
  expect(gases).toEqual([transactionGas]);
  await rehearsal.balanceOf(token, shop);
  expect(gases).toEqual([transactionGas, 200_000n]);
});

test("calls that are traced one by one have the gas of one transaction together", async () => {
  const frame = { type: "CALL", from: treasury, to: shop, value: "0x3", gasUsed: toHex(9_000_000n) };
  const { rehearsal, asked } = open({ debug_traceCall: frame }, shop, 4);
  expect(await rehearsal.transfers()).toMatchObject({ isComplete: false });
  const traces = asked.filter(({ method }) => method === "debug_traceCall");
  expect(traces.map(({ params: [call] }) => BigInt((call as { gas: Hex }).gas))).toEqual([
    transactionGas,
    transactionGas - 9_000_000n,
  ]);
});
