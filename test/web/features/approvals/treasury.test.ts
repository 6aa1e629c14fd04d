import { encodeAbiParameters, type Hex, keccak256, toHex } from "viem";
import { describe, expect, test } from "vitest";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import {
  approvalReason,
  isAsShown,
  proposalHashes,
  quorumToSend,
  rejectionFault,
} from "@/features/approvals/treasury.ts";
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
      keccak256(toHex(`Proposal(Call[] calls,uint256 nonce,uint256 deadline,uint256 threshold)${callType}`)),
      keccak256(callHash),
      word(7n),
      word(BigInt(proposal.deadlineS)),
      word(BigInt(proposal.threshold)),
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

describe("rejecting", () => {
  const shown = (changes: object = {}) => {
    const proposal = proposalOf(0, { treasury: treasury.address as Hex, ...changes });
    return { ...proposal, proposalId: proposalHashes(typedProposal(proposal, treasury)).digest };
  };
  const good = shown({ nonce: "8" });
  const fault = (proposal: ReturnType<typeof shown>, opened: readonly string[] | null) => {
    const { digest } = proposalHashes(typedProposal(proposal, treasury));
    return rejectionFault(proposal, treasury, { digest, opened });
  };
  test("ends the proposal that is shown, whatever the service says of its calls", () => {
    const lie = shown({ words: "Pay nothing to nobody" });
    expect(fault(lie, [lie.proposalId])).toBeNull();
    expect(fault(lie, [good.proposalId, lie.proposalId]), "others end as well, and are told").toBeNull();
    expect(fault(lie, null), "where the chain does not say").toBeNull();
    expect(fault(lie, []), "where the chain tells no old events").toBeNull();
  });
  test("is refused under the nonce of another", () =>
    expect(fault({ ...shown(), nonce: good.nonce }, [good.proposalId])).toMatch(
      /^What is shown hashes to 0x[0-9a-f]{64}, but its id is 0x[0-9a-f]{64}: nonce 8 may be another proposal's/,
    ));
  test("is refused though the id was made to fit: the chain knows whose nonce it is", () =>
    expect(fault(shown({ nonce: good.nonce, calls: [] }), [good.proposalId])).toBe(
      `On the chain, nonce 8 was opened for ${good.proposalId} and never for this proposal: that would end instead.`,
    ));
  test("is refused on a Treasury that the page does not name", () =>
    expect(fault({ ...shown(), treasury: one }, null)).not.toBeNull());
});

describe("the quorum that the page sends", () => {
  const approvalOf = (owner: string, consent: string, changes = {}) => ({
    owner,
    by: "signature",
    signature: plain,
    consent,
    approvedAt: 1,
    counts: true,
    ...changes,
  });
  const sent = (approvals: object[], sender?: Hex, threshold = 2) =>
    quorumToSend(proposalOf(0, { approvals, threshold } as never), sender);
  const other = `0x${"cd".repeat(65)}` as const;

  test("is the service's consents, ascending by owner", () =>
    // Owner 2 (0x3C…) stands before owner 1 (0x70…).
    expect(sent([approvalOf(one, plain), approvalOf(two, other)])).toEqual([other, plain]));
  test("has the sending owner by its address, once", () => {
    expect(sent([approvalOf(one, plain)], two)).toEqual([two, plain]);
    expect(sent([approvalOf(one, plain), approvalOf(two, other)], one)).toEqual([other, one]);
  });
  test("takes a contract's signature of any length as the service wrote it", () => {
    const ofContract = `${three}${plain.slice(2)}`;
    expect(sent([approvalOf(three, ofContract)], two)).toEqual([two, ofContract]);
  });
  test("is no longer than the threshold: a contract's signature that may be bad by now stays out", () => {
    const ofContract = `${three}${plain.slice(2)}`;
    const approvals = [approvalOf(three, ofContract), approvalOf(one, plain), approvalOf(two, two)];
    expect(sent(approvals)).toEqual([two, plain]);
    expect(sent(approvals.slice(0, 2), two)).toEqual([two, plain]);
  });
  test("leaves out who is no owner any more", () =>
    expect(sent([approvalOf(one, plain, { counts: false })])).toEqual([]));
});

describe("why owners are asked for an agent's payment", () => {
  const { proposer, reference, calls } = proposalOf(0);
  const token = `0x${"2".repeat(40)}` as const;
  // As the contract makes it of the spender and its reference.
  const nonce = BigInt(
    keccak256(`0x${"0".repeat(24)}${proposer.slice(2).toLowerCase()}${reference.slice(2)}`),
  ).toString();
  const args = [
    { name: "token", type: "address", value: token },
    { name: "amount", type: "uint256", value: "80000000" },
  ];
  const asked = {
    proposer,
    reference,
    nonce,
    calls: calls.map((call) => ({ ...call, decoded: { contract: "Treasury", function: "disburse", args } })),
  };
  const lineAt = (amount: string) => [
    {
      spender: proposer,
      token,
      decimals: 6,
      approvalAbove: { amount, unit: "USDC", token, known: true },
    },
  ];
  test("is the line as it is now, where the payment is above it", () =>
    expect(approvalReason(asked, lineAt("79.999999"))).toEqual({
      limit: lineAt("79.999999")[0]?.approvalAbove,
    }));
  test("names no line that the payment is not above: the budget was changed or removed since", () => {
    for (const budgets of [lineAt("80"), lineAt("1000"), lineAt("unlimited"), []])
      expect(approvalReason(asked, budgets)).toEqual({ limit: null });
  });
  test("is none of what an owner proposed, who may have a budget too", () =>
    expect(approvalReason({ ...asked, nonce: "7" }, lineAt("1"))).toBeNull());
});
