import { encodeFunctionData, erc20Abi, type Hex } from "viem";
import { expect, test } from "vitest";
import { decodeCall } from "#offchain/platform/chain/contracts/calls.ts";

const payee = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
const data = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [payee, 5n] });

test("a call is read by its ABI, with its arguments by name", () =>
  expect(decodeCall(erc20Abi, data)).toEqual({
    name: "transfer",
    inputs: [
      { name: "recipient", type: "address" },
      { name: "amount", type: "uint256" },
    ],
    args: { recipient: payee, amount: 5n },
  }));

test.each<[string, Hex]>([
  ["no function of the ABI", "0x12345678"],
  ["cut off", data.slice(0, 40) as Hex],
  ["longer than its arguments", `${data}00`],
  ["written with bits that are not looked at", `0xa9059cbb${"f".repeat(24)}${data.slice(34)}`],
])("a call that is %s is not read", (_, bytes) => expect(decodeCall(erc20Abi, bytes)).toBeNull());
