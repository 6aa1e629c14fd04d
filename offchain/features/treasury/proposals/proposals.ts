import type { Address, Hex, PublicClient } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { momentOf } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import { signatureGasMax } from "#offchain/platform/chain/client/untrustedCode.ts";
import type { KnownContracts } from "#offchain/platform/chain/contracts/known.ts";
import type { RevertDecoder } from "#offchain/platform/chain/contracts/revert.ts";
import type { Tokens } from "#offchain/platform/chain/contracts/tokens.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { signatureOfKey } from "#offchain/platform/chain/signatures/secp256k1.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { FairQueue } from "#offchain/platform/fairQueue.ts";
import { requestedFrom } from "#offchain/platform/requestContext.ts";
import { consentOf, executeCalldata, type TreasuryContract, type UntrustedContracts } from "../contract.ts";
import type { ProposalMessage } from "../messages.ts";
import { isApprovable, type Membership, proposalUnknown, quorumOf, stateOf } from "../rules.ts";
import type { Send } from "../sending/sending.ts";
import type { ProposalView, SimulationView, Treasuries } from "../service.ts";
import { saveSignature } from "../store/approvals.ts";
import { findProposal, listProposals, type StoredProposal } from "../store/proposals.ts";
import type { Named } from "./naming.ts";
import { simulate } from "./simulation.ts";
import { describeCall, type Surroundings } from "./words.ts";

type ProposalQuery = Parameters<Treasuries["proposals"]>[0];

export interface ProposalOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly view: Pick<ChainView, "status">;
  readonly client: PublicClient;
  readonly untrustedCode: UntrustedContracts;
  readonly chainId: number;
  /** @throws BursarError TREASURY_UNKNOWN */
  readonly contractOf: (treasury?: Address) => TreasuryContract;
  /** Read of the chain for all who ask at the same time. */
  readonly membershipOf: (treasury: Address) => Promise<Membership>;
  /** All that are followed on the chain as it is now: in an earlier run of it others stood at their addresses. */
  readonly treasuries: () => Promise<readonly string[]>;
  readonly reverts: RevertDecoder;
  readonly known: KnownContracts;
  readonly tokens: Tokens;
  readonly named: Named;
  readonly send: Send;
  /** Resolves once all that the chain has is in the store. */
  readonly caughtUp: () => Promise<void>;
  readonly runId: () => bigint;
}

/** Proposals as the chain's events tell them, with the owners' signatures that are gathered here until there are enough. */
export class Proposals {
  readonly #options: ProposalOptions;
  /** A rehearsal asks the chain for much: few at a time, and of one address one. */
  readonly #rehearsing = new FairQueue({
    what: "proposals to be simulated",
    atOnce: 4,
    atOnceOfOne: 1,
    waitingMax: 64,
  });
  readonly #rehearsed: AtHead<SimulationView | null>;

  constructor(options: ProposalOptions) {
    this.#options = options;
    this.#rehearsed = new AtHead(options.view, options.clock);
  }

  async list({ treasury, state, cursor, limit }: ProposalQuery): ReturnType<Treasuries["proposals"]> {
    const { sql, clock, chainId, contractOf } = this.#options;
    const contract = contractOf(treasury);
    const membership = await this.#options.membershipOf(contract.address);
    const wanted = state ? { state, ...membership, now: clock.now() } : null;
    const stored = await listProposals(sql, { chainId, treasury: contract.address, wanted }, cursor, limit);
    const items = await this.#views(stored, membership);
    return { items, next: stored.length < limit ? null : (stored.at(-1)?.id.toString() ?? null) };
  }

  async find(proposalId: Hex): Promise<ProposalView | null> {
    const stored = await this.#stored(proposalId);
    return stored && this.#view(stored, await this.#membership(stored));
  }

  async simulate(proposalId: Hex): Promise<SimulationView | null> {
    return this.#rehearsing.run(requestedFrom(), () =>
      this.#rehearsed.get(proposalId, () => this.#rehearse(proposalId)),
    );
  }

  async #rehearse(proposalId: Hex): Promise<SimulationView | null> {
    const { client, untrustedCode, tokens, reverts, contractOf, named } = this.#options;
    const stored = await this.#stored(proposalId);
    if (!stored || this.#isOfEarlierRun(stored)) return null;
    const contract = contractOf(stored.treasury);
    return simulate(contentOf(stored), { client, untrustedCode, contract, tokens, reverts, named });
  }

  async approve(proposalId: Hex, owner: Address, signature: Hex): Promise<ProposalView> {
    const { clock } = this.#options;
    const stored = await this.#current(proposalId);
    const membership = await this.#membership(stored);
    const now = clock.now();
    if (!isApprovable(stored, membership, now)) throw notApprovable(stored, stateOf(stored, membership, now));
    if (!membership.owners.includes(owner))
      throw new BursarError("OWNER_UNKNOWN", `${owner} is not an owner of the Treasury`, {
        facts: { proposalId, owner },
      });
    await this.#keepSignature(stored, owner, signature);
    return this.#shown(proposalId);
  }

  async execute(proposalId: Hex): Promise<ProposalView> {
    const { send, runId, caughtUp } = this.#options;
    const stored = await this.#current(proposalId);
    const view = await this.#view(stored, await this.#membership(stored));
    if (view.state === "executed") return view;
    try {
      await send({
        key: `execute:${runId()}:${proposalId}`,
        to: stored.treasury,
        data: executeCalldata(contentOf(stored), requireQuorum(view)),
        purpose: "treasury.execute",
        // The contract executes a proposal once, whichever owners' approvals it is shown.
        isOnce: true,
        content: proposalId,
      });
    } catch (error) {
      // Anybody may execute it: when the contract does not take ours, another transaction may have done it.
      if (!(error instanceof BursarError) || error.code !== "TRANSACTION_REVERTED") throw error;
      await caughtUp();
      const now = await this.#shown(proposalId);
      if (now.state === "executed") return now;
      throw error;
    }
    return this.#shown(proposalId);
  }

  /**
   * Keeps it in the form that `execute` takes. Anybody may hand one in, so what is kept already stays while the contract
   * takes it: a key's signature always, one that the owner's code vouches for until the code takes it no more.
   * @throws BursarError SIGNATURE_INVALID
   */
  async #keepSignature(stored: StoredProposal, owner: Address, signature: Hex): Promise<void> {
    const { sql, clock, contractOf, runId } = this.#options;
    const { proposalId, treasury, approvals } = stored;
    const contract = contractOf(treasury);
    // In the order of the contract: whose key signed is asked of nobody, whatever code the account has (EIP-7702).
    const own = signatureOfKey(proposalId, signature, owner);
    const said = own ? "yes" : await contract.signedByCode(owner, proposalId, signature);
    if (said !== "yes") throw notSignedBy(owner, proposalId, signature, said);
    const kept = approvals.find((approval) => approval.owner === owner)?.signature ?? null;
    if (kept) {
      if (signatureOfKey(proposalId, kept, owner)) return;
      if (!own && (await contract.signedByCode(owner, proposalId, kept)) === "yes") return;
    }
    const approval = { runId: runId(), proposalId, owner, signature: own ?? signature, at: clock.now() };
    await saveSignature(sql, approval, kept);
  }

  /** @throws BursarError CHAIN_UNAVAILABLE while it is not known which run the chain is in, and what was proposed in it */
  async #stored(proposalId: Hex): Promise<StoredProposal | null> {
    const { sql, chainId, runId } = this.#options;
    runId();
    return findProposal(sql, chainId, proposalId);
  }

  #isOfEarlierRun({ runId }: StoredProposal): boolean {
    return runId !== this.#options.runId();
  }

  /**
   * @throws BursarError PROPOSAL_UNKNOWN; PROPOSAL_CLOSED for one of an earlier run, whatever became of it there, and one
   * whose opening was taken back
   */
  async #current(proposalId: Hex): Promise<StoredProposal> {
    const stored = await this.#required(proposalId);
    const isOfEarlierRun = this.#isOfEarlierRun(stored);
    if (!isOfEarlierRun && !(stored.isTakenBack && stored.isUnfollowed)) return stored;
    const words = isOfEarlierRun
      ? "the proposal was opened before the chain was restarted, and is not followed any more"
      : "a reorganisation of the chain took the opening of the proposal back: propose it anew";
    throw new BursarError("PROPOSAL_CLOSED", words, { facts: { proposalId, state: stored.state } });
  }

  async #required(proposalId: Hex): Promise<StoredProposal> {
    const stored = await this.#stored(proposalId);
    if (!stored) throw proposalUnknown(proposalId);
    return stored;
  }

  async #shown(proposalId: Hex): Promise<ProposalView> {
    const stored = await this.#required(proposalId);
    return this.#view(stored, await this.#membership(stored));
  }

  #membership({ treasury }: StoredProposal): Promise<Membership> {
    return this.#options.membershipOf(treasury);
  }

  async #view(stored: StoredProposal, membership: Membership): Promise<ProposalView> {
    const [view] = await this.#views([stored], membership);
    return view as ProposalView;
  }

  async #views(stored: readonly StoredProposal[], membership: Membership): Promise<ProposalView[]> {
    const { clock, known, tokens, named } = this.#options;
    const now = clock.now();
    const followed = await this.#options.treasuries();
    const treasuries = new Set(followed.map((address) => address.toLowerCase()));
    return named((names) =>
      stored.map((one) => {
        const surroundings = { treasury: one.treasury, treasuries, known, tokens, names };
        const view = proposalView(one, membership, now, surroundings);
        return one.isUnfollowed || this.#isOfEarlierRun(one) ? withoutSignatures(view) : view;
      }),
    );
  }
}

/** What a proposal would do, as the contract takes it. */
const contentOf = ({ calls, nonce, deadlineS, threshold }: StoredProposal): ProposalMessage => ({
  calls,
  nonce,
  deadline: deadlineS,
  threshold: BigInt(threshold),
});

/** A stored proposal with what follows from the clock and from who the owners are now. */
function proposalView(
  stored: StoredProposal,
  membership: Membership,
  now: number,
  surroundings: Surroundings,
): ProposalView {
  const { owners } = membership;
  const { threshold } = stored;
  const state = stateOf(stored, membership, now);
  const calls = stored.calls.map((call) => describeCall(call, surroundings));
  const approvals = stored.approvals.map((approval) => ({
    owner: approval.owner,
    by: approval.isOnChain ? ("transaction" as const) : ("signature" as const),
    signature: approval.isOnChain ? null : approval.signature,
    consent: consentOf(stored.proposalId, approval),
    approvedAt: approval.approvedAt,
    counts: state !== "outdated" && owners.includes(approval.owner),
  }));
  const counting = approvals.filter(({ counts }) => counts);
  return {
    proposalId: stored.proposalId,
    treasury: stored.treasury,
    state,
    unfollowed: stored.isUnfollowed,
    takenBack: stored.isTakenBack,
    supersededBy: stored.supersededBy,
    words: calls.map(({ words }) => words).join("; "),
    proposer: stored.proposer,
    proposerName: surroundings.names(stored.proposer).chosen,
    reference: stored.reference,
    nonce: stored.nonce.toString(),
    deadline: momentOf(stored.deadlineS),
    deadlineS: stored.deadlineS.toString(),
    // Whether it is made does not depend on how many owners decide.
    readyAt: stored.state === "open" && state !== "expired" ? stored.readyAt : null,
    openedAt: stored.openedAt,
    calls,
    approvals,
    missing: owners.filter((owner) => !counting.some((approval) => approval.owner === owner)),
    threshold,
    quorum: counting.length >= threshold ? quorumOf(counting, threshold) : null,
    executedAt: stored.state === "executed" ? stored.closedAt : null,
    transactionHash: stored.transactionHash,
  };
}

/** Who has approved, and nothing by which anybody could execute it. */
const withoutSignatures = (view: ProposalView): ProposalView => ({
  ...view,
  approvals: view.approvals.map((approval) => ({ ...approval, signature: null, consent: null })),
  quorum: null,
});

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

const notApprovable = ({ proposalId, deadlineS }: StoredProposal, state: ReturnType<typeof stateOf>) =>
  new BursarError("PROPOSAL_CLOSED", "the proposal can no longer be approved", {
    facts: { proposalId, state, deadline: momentOf(deadlineS) },
  });

const notSignedBy = (owner: Address, proposalId: Hex, signature: Hex, said: "no" | "needsGas") =>
  new BursarError(
    "SIGNATURE_INVALID",
    said === "no"
      ? `the signature over the proposal is not ${owner}'s`
      : `the code of ${owner} needs more than ${signatureGasMax} gas to say whether the signature is its own`,
    {
      facts: { proposalId, owner, ...(said === "needsGas" && { gasMax: signatureGasMax }) },
      fields: [
        {
          field: "signature",
          message: "must be the owner's EIP-712 signature of the proposal",
          value: signature,
        },
      ],
    },
  );
