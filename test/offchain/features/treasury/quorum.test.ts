import { type Hex, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { expect, test } from "vitest";
import { consentOf } from "#offchain/features/treasury/contract.ts";
import { quorumOf } from "#offchain/features/treasury/rules.ts";

const accounts = ["a", "b", "c"].map((name) => privateKeyToAccount(keccak256(toHex(name))));
const proposalId = keccak256(toHex("proposal"));
const sorted = accounts.toSorted((one, other) => (BigInt(one.address) < BigInt(other.address) ? -1 : 1));
const [low, middle, high] = sorted as [(typeof sorted)[0], (typeof sorted)[0], (typeof sorted)[0]];
const ofContract = `0x${"ab".repeat(65)}` as Hex;

type Approval = Parameters<typeof consentOf>[1];
const quorum = (approvals: readonly Approval[], threshold: number) =>
  quorumOf(
    approvals.map((approval) => ({ owner: approval.owner, consent: consentOf(proposalId, approval) })),
    threshold,
  );

test("no more approvals are shown than decide, ascending by owner", async () => {
  const approvals = await Promise.all(
    [high, low, middle].map(async (owner) => ({
      owner: owner.address,
      isOnChain: false,
      signature: await owner.sign({ hash: proposalId }),
    })),
  );
  expect(quorum(approvals, 2)).toHaveLength(2);
  expect(quorum(approvals, 3)).toEqual(
    await Promise.all([low, middle, high].map((owner) => owner.sign({ hash: proposalId }))),
  );
});

test("an approval that only a contract vouches for is shown when the others do not suffice, and behind its address", async () => {
  const approvals = [
    { owner: low.address, isOnChain: false, signature: ofContract },
    { owner: middle.address, isOnChain: false, signature: await middle.sign({ hash: proposalId }) },
    { owner: high.address, isOnChain: true, signature: null },
  ];
  const others = [approvals[1]?.signature, high.address];
  expect(quorum(approvals, 2)).toEqual(others);
  const [first, ...rest] = quorum(approvals, 3);
  expect(rest).toEqual(others);
  expect(first?.toLowerCase()).toBe(`${low.address}${ofContract.slice(2)}`.toLowerCase());
});
