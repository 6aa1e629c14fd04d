import { type Address, concatHex, encodeFunctionData, erc20Abi, type Hex, type PublicClient } from "viem";
import { treasuryAbi } from "#contracts";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import { agentNames } from "#offchain/features/agents/store.ts";
import type { ChainView, Transactions } from "#offchain/platform/chain/port.ts";
import type { RevertDecoder } from "#offchain/platform/chain/revert.ts";
import { recoverAddress } from "#offchain/platform/chain/secp256k1.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type {
  BudgetView,
  ProposalView,
  SignedSpend,
  SpendOutcome,
  Treasuries,
  TreasuryView,
} from "./service.ts";
import { simulate } from "./simulation.ts";
import { budgetHolders, findProposal, listProposals, type StoredProposal, saveApproval } from "./store.ts";
import { describeCall, type KnownContract, type Names } from "./words.ts";

export interface TreasuryOptions {
  sql: Sql;
  client: PublicClient;
  clock: Clock;
  view: ChainView;
  sender: Transactions;
  reverts: RevertDecoder;
  chainId: number;
  addresses: { treasury: Address; usdc: Address };
  known: Map<string, KnownContract>;
  /** Addresses that are no agents, for people to read: owners, contracts. */
  labels: Map<string, string>;
}

const windows = ["hourly", "daily", "weekly", "monthly"] as const;
const unlimited = 2n ** 128n - 1n;

/** The Treasury contract, read from the chain and its indexed events, with signatures gathered here. */
export function openTreasury(options: TreasuryOptions): Treasuries {
  const { sql, client, clock, view, sender, addresses } = options;
  const contract = { address: addresses.treasury, abi: treasuryAbi } as const;
  const epoch = () => view.status().epoch;

  const names = async (): Promise<Names> => {
    const agents = await agentNames(sql);
    return (address) =>
      agents.get(address.toLowerCase()) ?? options.labels.get(address.toLowerCase()) ?? address;
  };

  async function viewOf(
    stored: StoredProposal,
    owners: readonly Address[],
    threshold: number,
  ): Promise<ProposalView> {
    const nameOf = await names();
    const calls = stored.calls.map((call) => describeCall(call, options.known, nameOf));
    const counting = stored.approvals.filter(({ owner }) => owners.includes(owner));
    const enough = counting.length >= threshold;
    const expired = stored.state === "open" && clock.now() > stored.deadline;
    const name = nameOf(stored.proposer);
    return {
      proposalId: stored.proposalId,
      state: stored.state !== "open" ? stored.state : expired ? "expired" : enough ? "ready" : "open",
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
      quorum: enough ? quorumOf(stored.proposalId, counting) : null,
      executedAt: stored.state === "executed" ? stored.closedAt : null,
      transactionHash: stored.transactionHash,
    };
  }

  async function rules(): Promise<{ owners: readonly Address[]; threshold: number }> {
    const [owners, threshold] = await Promise.all([
      client.readContract({ ...contract, functionName: "owners" }),
      client.readContract({ ...contract, functionName: "threshold" }),
    ]);
    return { owners, threshold: Number(threshold) };
  }

  async function required(proposalId: Hex): Promise<StoredProposal> {
    const stored = await findProposal(sql, epoch(), proposalId);
    if (stored) return stored;
    throw new BursarError("PROPOSAL_UNKNOWN", `no proposal ${proposalId} is known here`, {
      facts: { proposalId },
    });
  }

  async function proposal(proposalId: Hex): Promise<ProposalView | null> {
    const stored = await findProposal(sql, epoch(), proposalId);
    if (!stored) return null;
    const { owners, threshold } = await rules();
    return viewOf(stored, owners, threshold);
  }

  /** The transaction's hash, once it is mined and indexed. */
  async function mined(id: bigint): Promise<Hex> {
    const { hash } = await sender.wait(id);
    if (!hash) throw new Error(`transaction ${id} is mined without a hash`);
    await view.waitForTransaction(hash);
    return hash;
  }

  return {
    async show(): Promise<TreasuryView> {
      const [{ owners, threshold }, paused, usdc, native] = await Promise.all([
        rules(),
        client.readContract({ ...contract, functionName: "isPaused" }),
        balanceOf(client, addresses.usdc, addresses.treasury),
        client.getBalance({ address: addresses.treasury }),
      ]);
      return {
        address: addresses.treasury,
        chainId: options.chainId,
        owners: [...owners],
        threshold,
        paused,
        balances: [money(usdc, "USDC"), money(native, "ETH")],
      };
    },

    async budgets() {
      const nameOf = await names();
      const holders = await budgetHolders(sql, epoch());
      const views = await Promise.all(holders.map((holder) => readBudget(client, contract, holder, nameOf)));
      return views.filter((budget) => budget !== null);
    },

    async spend(spend: SignedSpend): Promise<SpendOutcome> {
      const { signature, reference, ...rest } = spend;
      const id = await sender.enqueue({
        key: `spend:${spend.agent}:${spend.nonce}`,
        to: addresses.treasury,
        data: encodeFunctionData({
          abi: treasuryAbi,
          functionName: "paySigned",
          args: [{ ...rest, ref: reference }, signature],
        }),
        purpose: "treasury.spend",
      });
      const hash = await mined(id);
      const proposalId = await client.readContract({
        ...contract,
        functionName: "proposalNonceOf",
        args: [spend.agent, reference],
      });
      const [opened] = await sql<{ proposal_id: Uint8Array }[]>`
        SELECT proposal_id FROM proposal WHERE epoch_id = ${epoch()} AND nonce = ${proposalId.toString()}::numeric`;
      return {
        transactionHash: hash,
        outcome: opened ? "proposed" : "paid",
        proposalId: opened ? `0x${Buffer.from(opened.proposal_id).toString("hex")}` : null,
      };
    },

    async proposals({ state, cursor, limit }) {
      const { owners, threshold } = await rules();
      const items: ProposalView[] = [];
      let before = cursor === undefined ? undefined : BigInt(cursor);
      // States such as `expired` follow from time and owners, so they are filtered here, page by page.
      for (;;) {
        const stored = await listProposals(sql, before, limit);
        for (const one of stored) {
          before = one.id;
          const shown = await viewOf(one, owners, threshold);
          if (!state || shown.state === state) items.push(shown);
          if (items.length === limit) return { items, next: before.toString() };
        }
        if (stored.length < limit) return { items, next: null };
      }
    },

    proposal,

    async simulate(proposalId) {
      const stored = await findProposal(sql, epoch(), proposalId);
      return (
        stored &&
        simulate({
          client,
          proposal: stored,
          treasury: addresses.treasury,
          usdc: addresses.usdc,
          reverts: options.reverts,
          nameOf: await names(),
        })
      );
    },

    async approve(proposalId, owner, signature) {
      const stored = await required(proposalId);
      if (stored.state !== "open" || clock.now() > stored.deadline)
        throw new BursarError("PROPOSAL_CLOSED", "the proposal can no longer be approved", {
          facts: { proposalId, state: stored.state, deadline: stored.deadline },
        });
      const { owners } = await rules();
      if (!owners.includes(owner))
        throw new BursarError("OWNER_UNKNOWN", `${owner} is not an owner of the Treasury`, {
          facts: { proposalId, owner },
        });
      // ERC-1271 and EIP-7702 owners are asked on the chain; a plain key is recovered.
      const valid = await client.verifyHash({ address: owner, hash: proposalId, signature });
      if (!valid)
        throw new BursarError("SIGNATURE_INVALID", `the signature over the proposal is not ${owner}'s`, {
          facts: { proposalId, owner },
          fields: [
            {
              field: "signature",
              message: "must be the owner's EIP-712 signature of the proposal",
              value: signature,
            },
          ],
        });
      await saveApproval(sql, { epochId: epoch(), proposalId, owner, signature, at: clock.now() });
      return (await proposal(proposalId)) as ProposalView;
    },

    async execute(proposalId) {
      const stored = await required(proposalId);
      const { owners, threshold } = await rules();
      const shown = await viewOf(stored, owners, threshold);
      if (shown.state === "executed") return shown;
      if (shown.state !== "ready" && shown.state !== "open")
        throw new BursarError("PROPOSAL_CLOSED", `the proposal is ${shown.state}`, {
          facts: { proposalId, state: shown.state },
        });
      if (!shown.quorum)
        throw new BursarError(
          "QUORUM_MISSING",
          `${shown.threshold} owners must approve; ${shown.approvals.filter(({ counts }) => counts).length} have`,
          {
            facts: { proposalId, threshold: shown.threshold, missing: shown.missing.join(",") },
          },
        );
      const id = await sender.enqueue({
        key: `execute:${epoch()}:${proposalId}`,
        to: addresses.treasury,
        data: encodeFunctionData({
          abi: treasuryAbi,
          functionName: "execute",
          args: [stored.calls, stored.nonce, BigInt(stored.deadline / 1000), shown.quorum as Hex[]],
        }),
        purpose: "treasury.execute",
      });
      await mined(id);
      return (await proposal(proposalId)) as ProposalView;
    },
  };
}

/**
 * Approvals as `execute` takes them, ascending by owner: a key's signature as it is, an owner who approved on the chain
 * by address alone, a contract's signature (ERC-1271) behind its address. See ITreasury.execute.
 */
function quorumOf(proposalId: Hex, approvals: StoredProposal["approvals"]): Hex[] {
  return approvals
    .toSorted((a, b) => (BigInt(a.owner) < BigInt(b.owner) ? -1 : 1))
    .map(({ owner, signature }) => {
      if (signature === null) return owner;
      return recoverAddress(proposalId, signature) === owner ? signature : concatHex([owner, signature]);
    });
}

const money = (amount: bigint, unit: UnitCode) => ({ amount: formatAmount(amount, unit), unit });

const balanceOf = (client: PublicClient, token: Address, account: Address) =>
  client.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [account] });

async function readBudget(
  client: PublicClient,
  contract: { address: Address; abi: typeof treasuryAbi },
  { spender, token }: { spender: Address; token: Address },
  nameOf: Names,
): Promise<BudgetView | null> {
  const [[terms, active], usage, frozen] = await Promise.all([
    client.readContract({ ...contract, functionName: "budgetOf", args: [spender, token] }),
    client.readContract({ ...contract, functionName: "usageOf", args: [spender, token] }),
    client.readContract({ ...contract, functionName: "isFrozen", args: [spender] }),
  ]);
  if (!active) return null;
  const name = nameOf(spender);
  const written = (amount: bigint) => ({
    amount: amount >= unlimited ? "unlimited" : formatAmount(amount, "USDC"),
    unit: "USDC" as const,
  });
  return {
    spender,
    spenderName: name === spender ? null : name,
    token,
    unit: "USDC",
    approvalAbove: written(terms.approvalAbove),
    validUntil: Number(terms.validUntil) * 1000,
    frozen,
    windows: [
      {
        window: "transaction",
        limit: written(terms.perTransaction),
        spent: written(0n),
        left: written(terms.perTransaction),
        resetsAt: null,
      },
      ...windows.map((window, at) => {
        const { limit = 0n, left = 0n, freeAt = 0n } = usage[at] ?? {};
        return {
          window,
          limit: written(limit),
          spent: written(limit - left),
          left: written(left),
          resetsAt: freeAt === 0n ? null : Number(freeAt) * 1000,
        };
      }),
    ],
  };
}
