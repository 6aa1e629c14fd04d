import { hashTypedData } from "viem";
import { expect, test } from "vitest";
import { proposalToSign, spendToSign } from "#offchain/features/treasury/messages.ts";

const address = (digit: string) => `0x${digit.repeat(40)}` as const;
const here = { chainId: 31337, address: address("1") };
const proposal = {
  calls: [{ to: address("2"), value: 1n, data: "0x" as const }],
  nonce: 7n,
  deadline: 9n,
  threshold: 2n,
};
const spend = {
  agent: address("3"),
  token: address("4"),
  to: address("5"),
  amount: 1n,
  reference: `0x${"6".repeat(64)}` as const,
  nonce: 7n,
  validBefore: 9n,
};

test.each([
  ["another chain", { ...here, chainId: 1 }],
  ["another Treasury", { ...here, address: address("9") }],
])("what is signed for one Treasury is nothing on %s", (_, elsewhere) => {
  expect(hashTypedData(proposalToSign(proposal, elsewhere))).not.toBe(
    hashTypedData(proposalToSign(proposal, here)),
  );
  expect(hashTypedData(spendToSign(spend, elsewhere))).not.toBe(hashTypedData(spendToSign(spend, here)));
});
