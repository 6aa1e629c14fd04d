import type { Address, Hex, PublicClient } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { KnownContracts } from "#offchain/platform/chain/known.ts";
import type { RevertDecoder } from "#offchain/platform/chain/revert.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { executeCalldata, quorumOf, type TreasuryContract } from "./contract.ts";
import { countingApprovals, isApprovable, type Membership, stateOf } from "./rules.ts";
import type { Send } from "./sending.ts";
import type { ProposalView, Treasuries } from "./service.ts";
import { simulate } from "./simulation.ts";
import {
  findProposal,
  listProposals,
  proposalFigures,
  recentProposals,
  type StoredProposal,
  saveApproval,
} from "./store/proposals.ts";
import { describeCall, type Names } from "./words.ts";

export interface ProposalOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly client: PublicClient;
  /** @throws BursarError TREASURY_UNKNOWN */
  readonly contractOf: (treasury?: Address) => TreasuryContract;
  readonly usdc: Address;
  readonly reverts: RevertDecoder;
  readonly known: KnownContracts;
  readonly names: () => Promise<Names>;
  readonly send: Send;
  readonly epoch: () => bigint;
}

type Proposals = Pick<
  Treasuries,
  "proposals" | "proposal" | "simulate" | "approve" | "execute" | "proposalFigures" | "recentProposals"
>;

/** Proposals as the chain's events tell them, with the owners' signatures that are gathered here until there are enough. */
export function openProposals(options: ProposalOptions): Proposals {
  const { sql, clock, contractOf, epoch } = options;

  async function viewOf(stored: StoredProposal, membership: Membership): Promise<ProposalView> {
    return proposalView(stored, membership, {
      now: clock.now(),
      known: options.known,
      nameOf: await options.names(),
    });
  }

  async function required(proposalId: Hex): Promise<StoredProposal> {
    const stored = await findProposal(sql, epoch(), proposalId);
    if (!stored)
      throw new BursarError("PROPOSAL_UNKNOWN", `no proposal ${proposalId} is known here`, {
        facts: { proposalId },
      });
    return stored;
  }

  const membershipOf = ({ treasury }: StoredProposal) => contractOf(treasury).membership();

  async function shown(proposalId: Hex): Promise<ProposalView> {
    const stored = await required(proposalId);
    return viewOf(stored, await membershipOf(stored));
  }

  return {
    async proposals({ treasury, state, cursor, limit }) {
      const contract = contractOf(treasury);
      const membership = await contract.membership();
      const items: ProposalView[] = [];
      let before = cursor === undefined ? undefined : BigInt(cursor);
      // States such as `expired` follow from time and owners, so they are filtered here, page by page.
      for (;;) {
        const stored = await listProposals(sql, contract.address, before, limit);
        for (const one of stored) {
          before = one.id;
          const view = await viewOf(one, membership);
          if (!state || view.state === state) items.push(view);
          if (items.length === limit) return { items, next: before.toString() };
        }
        if (stored.length < limit) return { items, next: null };
      }
    },

    async proposal(proposalId) {
      const stored = await findProposal(sql, epoch(), proposalId);
      return stored && viewOf(stored, await membershipOf(stored));
    },

    async simulate(proposalId) {
      const { client, usdc, reverts } = options;
      const stored = await findProposal(sql, epoch(), proposalId);
      return (
        stored &&
        simulate(stored.calls, {
          client,
          contract: contractOf(stored.treasury),
          usdc,
          reverts,
          nameOf: await options.names(),
        })
      );
    },

    async approve(proposalId, owner, signature) {
      const stored = await required(proposalId);
      if (!isApprovable(stored, clock.now())) throw notApprovable(stored);
      const { owners } = await membershipOf(stored);
      if (!owners.includes(owner))
        throw new BursarError("OWNER_UNKNOWN", `${owner} is not an owner of the Treasury`, {
          facts: { proposalId, owner },
        });
      // ERC-1271 and EIP-7702 owners are asked on the chain; a plain key is recovered.
      const isValid = await options.client.verifyHash({ address: owner, hash: proposalId, signature });
      if (!isValid) throw notSignedBy(owner, proposalId, signature);
      await saveApproval(sql, { epochId: epoch(), proposalId, owner, signature, at: clock.now() });
      return shown(proposalId);
    },

    async execute(proposalId) {
      const stored = await required(proposalId);
      const view = await viewOf(stored, await membershipOf(stored));
      if (view.state === "executed") return view;
      await options.send({
        key: `execute:${epoch()}:${proposalId}`,
        to: stored.treasury,
        data: executeCalldata(
          { ...stored, deadline: BigInt(Math.floor(stored.deadline / 1000)) },
          requireQuorum(view),
        ),
        purpose: "treasury.execute",
      });
      return shown(proposalId);
    },

    proposalFigures: () => proposalFigures(sql, clock.now()),
    recentProposals: (limit) => recentProposals(sql, limit),
  };
}

/** A stored proposal with what follows from the clock and from who the owners are now. */
function proposalView(
  stored: StoredProposal,
  membership: Membership,
  { now, known, nameOf }: { now: number; known: KnownContracts; nameOf: Names },
): ProposalView {
  const { owners, threshold } = membership;
  const calls = stored.calls.map((call) => describeCall(call, known, nameOf));
  const counting = countingApprovals(stored.approvals, owners);
  const name = nameOf(stored.proposer);
  return {
    proposalId: stored.proposalId,
    treasury: stored.treasury,
    state: stateOf(stored, membership, now),
    words: calls.map(({ words }) => words).join("; "),
    proposer: stored.proposer,
    proposerName: name === stored.proposer ? null : name,
    reference: stored.reference,
    nonce: stored.nonce.toString(),
    deadline: stored.deadline,
    openedAt: stored.openedAt,
    calls,
    approvals: stored.approvals.map(({ owner, signature, approvedAt }) => ({
      owner,
      by: signature === null ? "transaction" : "signature",
      signature,
      approvedAt,
      counts: owners.includes(owner),
    })),
    missing: owners.filter((owner) => !counting.some((approval) => approval.owner === owner)),
    threshold,
    quorum: counting.length >= threshold ? quorumOf(stored.proposalId, counting) : null,
    executedAt: stored.state === "executed" ? stored.closedAt : null,
    transactionHash: stored.transactionHash,
  };
}

/** @throws BursarError PROPOSAL_CLOSED, QUORUM_MISSING */
function requireQuorum({ proposalId, state, quorum, threshold, approvals, missing }: ProposalView): Hex[] {
  if (state !== "ready" && state !== "open")
    throw new BursarError("PROPOSAL_CLOSED", `the proposal is ${state}`, { facts: { proposalId, state } });
  if (!quorum) {
    const counted = approvals.filter(({ counts }) => counts).length;
    throw new BursarError("QUORUM_MISSING", `${threshold} owners must approve; ${counted} have`, {
      facts: { proposalId, threshold, missing: missing.join(",") },
    });
  }
  return quorum as Hex[];
}

const notApprovable = ({ proposalId, state, deadline }: StoredProposal) =>
  new BursarError("PROPOSAL_CLOSED", "the proposal can no longer be approved", {
    facts: { proposalId, state, deadline },
  });

const notSignedBy = (owner: Address, proposalId: Hex, signature: Hex) =>
  new BursarError("SIGNATURE_INVALID", `the signature over the proposal is not ${owner}'s`, {
    facts: { proposalId, owner },
    fields: [
      {
        field: "signature",
        message: "must be the owner's EIP-712 signature of the proposal",
        value: signature,
      },
    ],
  });
