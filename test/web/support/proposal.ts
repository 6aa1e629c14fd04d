import type { Proposal } from "@/lib/model.ts";

export const owners = [
  "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
  "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
] as const;

export const now = 1_800_000_000_000;

/** A proposal as the service gives it, with the first `signed` owners' approvals. */
export function proposalOf(signed: number, changes: Partial<Proposal> = {}): Proposal {
  return {
    proposalId: `0x${"11".repeat(32)}`,
    state: signed >= 2 ? "ready" : "open",
    treasury: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
    unfollowed: false,
    takenBack: false,
    supersededBy: null,
    words: "Pay 120 USDC to Marlow for Iris",
    proposer: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    proposerName: "Iris",
    reference: `0x${"22".repeat(32)}`,
    nonce: "7",
    deadline: now + 86_400_000,
    deadlineS: String((now + 86_400_000) / 1_000),
    readyAt: null,
    openedAt: now - 60_000,
    calls: [
      {
        to: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
        target: "this Treasury",
        value: "0",
        coin: { amount: "0", unit: "ETH", token: `0x${"0".repeat(40)}`, known: true },
        data: "0x1234",
        words: "Pay 120 USDC to Marlow",
        warnings: [],
        decoded: null,
      },
    ],
    approvals: owners.slice(0, signed).map((owner) => ({
      owner,
      by: "signature" as const,
      signature: `0x${"ab".repeat(65)}` as const,
      consent: `0x${"ab".repeat(65)}` as const,
      approvedAt: now - 1_000,
      counts: true,
    })),
    missing: owners.slice(signed),
    threshold: 2,
    quorum: null,
    executedAt: null,
    transactionHash: null,
    ...changes,
  };
}
