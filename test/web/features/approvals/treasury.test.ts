import { encodeAbiParameters, keccak256, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { consents, isAsShown, proposalHashes } from "@/features/approvals/treasury.ts";
import { owners, proposalOf } from "../../support/proposal.ts";

const treasury = { chainId: 31337, address: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512" };
const [one, two, three] = owners;
const plain = `0x${"ab".repeat(65)}` as const;

describe("the hash that owners sign", () => {
  test("is the contract's: the type string, the call's bytes hashed, seconds not milliseconds", () => {
    const proposal = proposalOf(0);
    const [call] = contentOf(proposal).calls;
    if (!call) throw new Error("the proposal has no call");
    const callType = "Call(address to,uint256 value,bytes data)";
    const words = (...values: `0x${string}`[]) =>
      keccak256(
        encodeAbiParameters(
          values.map(() => ({ type: "bytes32" })),
          values,
        ),
      );
    const word = (value: bigint | `0x${string}`) => toHex(BigInt(value), { size: 32 });
    const callHash = words(keccak256(toHex(callType)), word(call.to), word(call.value), keccak256(call.data));
    const expected = words(
      keccak256(toHex(`Proposal(Call[] calls,uint256 nonce,uint256 deadline)${callType}`)),
      keccak256(callHash),
      word(7n),
      word(BigInt(proposal.deadlineS)),
    );
    expect(proposalHashes(typedProposal(proposal, treasury)).message).toBe(expected);
  });
  test.each([
    ["another chain", { ...treasury, chainId: 1 }],
    ["another treasury", { ...treasury, address: one }],
  ])("differs on %s", (_, other) =>
    expect(proposalHashes(typedProposal(proposalOf(0), other)).digest).not.toBe(
      proposalHashes(typedProposal(proposalOf(0), treasury)).digest,
    ),
  );
  test("joins domain and message as EIP-712 says", () => {
    const { digest, domain, message } = proposalHashes(typedProposal(proposalOf(0), treasury));
    expect(digest).toBe(keccak256(`0x1901${domain.slice(2)}${message.slice(2)}`));
  });
});

test("what is signed is what is shown: its hash, and the Treasury that the page names", () => {
  const proposal = proposalOf(0, { treasury: treasury.address.toLowerCase() as `0x${string}` });
  const { proposalId } = proposal;
  expect(isAsShown(proposal, treasury, proposalId)).toBe(true);
  expect(isAsShown(proposal, treasury, `0x${"12".repeat(32)}`)).toBe(false);
  expect(isAsShown(proposal, { address: one }, proposalId)).toBe(false);
  expect(isAsShown(proposal, null, proposalId)).toBe(false);
});

describe("consents in the form of execute", () => {
  const approval = {
    owner: one as string,
    by: "signature" as const,
    signature: plain,
    approvedAt: 1,
    counts: true,
  };
  test("ascend by owner, not by time", () => {
    const other = `0x${"cd".repeat(65)}` as const;
    // Owner 2 (0x3C…) stands before owner 1 (0x70…).
    expect(consents([approval, { ...approval, owner: two, signature: other }] as never)).toEqual([
      other,
      plain,
    ]);
  });
  test("an on-chain approval is the owner's address alone", () =>
    expect(consents([{ ...approval, by: "transaction", signature: null }] as never)).toEqual([one]));
  test("the sending owner consents by address", () =>
    expect(consents([approval] as never, two)).toEqual([two, plain]));
  test("a sender who has signed is not counted twice", () =>
    expect(consents([approval] as never, one.toLowerCase())).toEqual([plain]));
  test("a contract owner's signature follows its address", () => {
    const long = `0x${"ef".repeat(97)}` as const;
    expect(consents([{ ...approval, owner: three, signature: long }] as never)).toEqual([
      `${three}${long.slice(2)}`,
    ]);
  });
  test("who is no owner any more is left out", () =>
    expect(consents([{ ...approval, counts: false }] as never)).toEqual([]));
});
