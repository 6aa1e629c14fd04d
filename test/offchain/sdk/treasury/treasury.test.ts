import { keccak256, toHex, verifyTypedData } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, it } from "vitest";
import { spend } from "#offchain/features/treasury/actions/spend.ts";
import { signSpend } from "#offchain/sdk/treasury/treasury.ts";

const agent = privateKeyToAccount(keccak256(toHex("agent")));
const treasury = { address: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", chainId: 31337 } as const;
const request = {
  token: "0x5FbDB2315678afecb367f032d93F642f64180aa3",
  to: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  amount: 150_000_000n,
  reference: keccak256(toHex("order 7")),
  nonce: 9n,
  validBefore: 1_900_000_000n,
} as const;

it("signs the Treasury's Spend, field by field", async () => {
  const sent = await signSpend(agent, treasury, request);
  const isValid = await verifyTypedData({
    address: agent.address,
    domain: { name: "Bursar Treasury", version: "1", chainId: 31337, verifyingContract: treasury.address },
    types: {
      Spend: [
        { name: "agent", type: "address" },
        { name: "token", type: "address" },
        { name: "to", type: "address" },
        { name: "amount", type: "uint256" },
        { name: "reference", type: "bytes32" },
        { name: "nonce", type: "uint256" },
        { name: "validBefore", type: "uint256" },
      ],
    },
    primaryType: "Spend",
    message: { agent: agent.address, ...request },
    signature: sent.signature as `0x${string}`,
  });
  expect(isValid).toBe(true);
});

it("sends what the action takes", async () => {
  const { signature, ...sent } = spend.input.parse(await signSpend(agent, treasury, request));
  expect([sent, signature.length]).toEqual([{ agent: agent.address, ...request }, 132]);
});
