import { encodeFunctionData, erc20Abi, getAddress, pad, toHex, zeroAddress } from "viem";
import { expect, test } from "vitest";
import {
  type CallFrame,
  changesBy,
  simulatedLogs,
  transfersIn,
  transfersOf,
  transfersReadFrom,
} from "#offchain/features/treasury/proposals/transfers.ts";

const address = (digit: string) => getAddress(`0x${digit.repeat(40)}`);
const [treasury, token, payee, taxman] = [address("1"), address("2"), address("a"), address("b")];
const topic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const log = (from: string, to: string, amount: bigint, at: string = token) => ({
  address: at.toLowerCase(),
  topics: [topic, pad(from as `0x${string}`), pad(to as `0x${string}`)],
  data: toHex(amount, { size: 32 }),
});

test("transfers are read from ERC-20's logs, and the coin's from those of eth_simulateV1; an NFT's is none", () => {
  const native = log(treasury, payee, 3n, "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE");
  const nft = {
    ...log(treasury, payee, 1n),
    topics: [...log(treasury, payee, 1n).topics, toHex(1n, { size: 32 })],
  };
  const other = { address: token, topics: [toHex(1n, { size: 32 })], data: "0x" };
  expect(transfersIn([log(treasury, payee, 5n), native, nft, other])).toEqual([
    { token, from: treasury, to: payee, amount: 5n },
    { token: zeroAddress, from: treasury, to: payee, amount: 3n },
  ]);
});

test("a traced call tells what it and its calls move; what reverted, or was only delegated, moves nothing", () => {
  const frame: CallFrame = {
    type: "CALL",
    from: treasury,
    to: payee,
    value: "0x7",
    calls: [
      { type: "DELEGATECALL", from: payee, to: taxman, value: "0x7", logs: [log(treasury, taxman, 1n)] },
      { type: "CALL", from: payee, to: taxman, value: "0x2" },
      { type: "CALL", from: payee, to: taxman, value: "0x5", error: "execution reverted", calls: [] },
    ],
  };
  expect(transfersOf(frame)).toEqual([
    { token: zeroAddress, from: treasury, to: payee, amount: 7n },
    { token, from: treasury, to: taxman, amount: 1n },
    { token: zeroAddress, from: payee, to: taxman, amount: 2n },
  ]);
});

test("changes are counted apart by account and token; what cancels out, and who mints, are left out", () => {
  expect(
    changesBy([
      { token, from: treasury, to: payee, amount: 5n },
      { token: zeroAddress, from: treasury, to: payee, amount: 3n },
      { token: zeroAddress, from: treasury, to: treasury, amount: 9n },
      { token, from: zeroAddress, to: treasury, amount: 1n },
      { token, from: payee, to: taxman, amount: 5n },
    ]),
  ).toEqual([
    { account: treasury, token, change: -4n },
    { account: treasury, token: zeroAddress, change: -3n },
    { account: payee, token: zeroAddress, change: 3n },
    { account: taxman, token, change: 5n },
  ]);
});

test("where a node tells nothing, payments and the coin are read from the calls", () => {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [payee, 5n] });
  expect(
    transfersReadFrom(
      [
        { to: token, value: 1n, data },
        { to: payee, value: 0n, data: "0x" },
      ],
      treasury,
    ),
  ).toEqual([
    { token: zeroAddress, from: treasury, to: token, amount: 1n },
    { token, from: treasury, to: payee, amount: 5n },
  ]);
});

test("an answer of eth_simulateV1 is believed only if the call succeeded", () => {
  const logs = [log(treasury, payee, 5n)];
  expect(simulatedLogs([{ calls: [{ status: "0x1", logs }] }])).toBe(logs);
  for (const answer of [[{ calls: [{ status: "0x0" }] }], [], null, {}])
    expect(simulatedLogs(answer)).toBeNull();
});
