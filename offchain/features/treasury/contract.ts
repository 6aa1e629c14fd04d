import {
  type Abi,
  type Address,
  BaseError,
  concatHex,
  type DecodeFunctionDataReturnType,
  decodeFunctionData,
  encodeFunctionData,
  erc20Abi,
  type Hex,
  isAddressEqual,
  type PublicClient,
  parseEventLogs,
  TransactionReceiptNotFoundError,
} from "viem";
import { treasuryAbi, treasuryFactoryAbi } from "#contracts";
import { momentOf } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import { signatureGasMax, type UntrustedCode } from "#offchain/platform/chain/client/untrustedCode.ts";
import { signedByCode } from "#offchain/platform/chain/signatures/erc1271.ts";
import { signatureOfKey } from "#offchain/platform/chain/signatures/secp256k1.ts";
import { type ProposalMessage, type SpendMessage, treasuryDomain } from "./messages.ts";
import type { Membership } from "./rules.ts";
import type { StoredApproval } from "./store/approvals.ts";

export type UntrustedContracts = UntrustedCode<ChainReader>;

export type TreasuryCall = ProposalMessage["calls"][number];

/** A rolling window of a budget, as it stands. Base units; a limit of 2¹²⁸ − 1 is none. */
export interface WindowFigures {
  readonly limit: bigint;
  readonly left: bigint;
  /** Epoch seconds when the whole limit is free again; 0: it is. */
  readonly freeAt: bigint;
}

export interface BudgetFigures {
  /** False where there never was such a budget, or it was removed; what was spent from it before is in the windows still. */
  readonly isActive: boolean;
  readonly perTransaction: bigint;
  readonly approvalAbove: bigint;
  /** Epoch seconds. */
  readonly validUntil: bigint;
  /** Only allowed recipients may be paid. */
  readonly recipientsOnly: boolean;
  readonly isFrozen: boolean;
  /** Hourly, daily, weekly, monthly. */
  readonly windows: readonly WindowFigures[];
}

/** What of a spend is used up. A reference pays, or proposes, once; a nonce is also used by its cancellation. */
export interface SpendUses {
  readonly nonce: boolean;
  readonly reference: boolean;
}

/** One Treasury contract, read at the newest block unless another is named. */
export interface TreasuryContract {
  readonly address: Address;
  membership(): Promise<Membership>;
  isPaused(): Promise<boolean>;
  /** Whether the spend's nonce and reference are used, both on one block. */
  usesOf(spend: Pick<SpendMessage, "agent" | "nonce" | "reference">): Promise<SpendUses>;
  /** Whether the owner's code stands by the signature (ERC-1271), asked as `execute` asks it, which a Treasury can be too. */
  signedByCode(owner: Address, proposalId: Hex, signature: Hex): ReturnType<typeof signedByCode>;
  balances(): Promise<{ usdc: bigint; native: bigint }>;
  /** In order. */
  budgetsOf(
    holders: readonly { readonly spender: Address; readonly token: Address }[],
  ): Promise<BudgetFigures[]>;
}

export function treasuryContract(
  client: PublicClient,
  untrustedCode: UntrustedContracts,
  { treasury, usdc }: { treasury: Address; usdc: Address },
): TreasuryContract {
  const contract = { address: treasury, abi: treasuryAbi } as const;
  return {
    address: treasury,
    async membership() {
      const [owners, threshold] = await Promise.all([
        client.readContract({ ...contract, functionName: "owners" }),
        client.readContract({ ...contract, functionName: "threshold" }),
      ]);
      return { owners, threshold: Number(threshold) };
    },
    signedByCode: (account, hash, signature) =>
      signedByCode(untrustedCode, { account, hash, signature, gasMax: signatureGasMax, asker: treasury }),
    async usesOf({ agent, nonce, reference }) {
      const [isNonceUsed, isReferenceUsed] = await client.multicall({
        allowFailure: false,
        contracts: [
          { ...contract, functionName: "isSpendNonceUsed", args: [agent, nonce] },
          { ...contract, functionName: "isReferenceUsed", args: [agent, reference] },
        ],
      });
      return { nonce: isNonceUsed, reference: isReferenceUsed };
    },
    isPaused: () => client.readContract({ ...contract, functionName: "isPaused" }),
    async balances() {
      const [tokens, native] = await Promise.all([
        client.readContract({ address: usdc, abi: erc20Abi, functionName: "balanceOf", args: [treasury] }),
        client.getBalance({ address: treasury }),
      ]);
      return { usdc: tokens, native };
    },
    budgetsOf: (holders) => readBudgets(client, treasury, holders),
  };
}

/** Bytes of calldata in one multicall: some two hundred holders. */
const multicallBytes = 16_384;

/** Asks for all holders at once, however many there are. */
async function readBudgets(
  client: PublicClient,
  treasury: Address,
  holders: Parameters<TreasuryContract["budgetsOf"]>[0],
): Promise<BudgetFigures[]> {
  const contract = { address: treasury, abi: treasuryAbi } as const;
  const whole = { allowFailure: false, batchSize: multicallBytes } as const;
  const [budgets, usages, frozen] = await Promise.all([
    client.multicall({
      ...whole,
      contracts: holders.map(
        ({ spender, token }) => ({ ...contract, functionName: "budgetOf", args: [spender, token] }) as const,
      ),
    }),
    client.multicall({
      ...whole,
      contracts: holders.map(
        ({ spender, token }) => ({ ...contract, functionName: "usageOf", args: [spender, token] }) as const,
      ),
    }),
    client.multicall({
      ...whole,
      contracts: holders.map(
        ({ spender }) => ({ ...contract, functionName: "isFrozen", args: [spender] }) as const,
      ),
    }),
  ]);
  return budgets.map(([{ perTransaction, approvalAbove, validUntil, recipientsOnly }, isActive], at) => ({
    isActive,
    perTransaction,
    approvalAbove,
    validUntil: BigInt(validUntil),
    recipientsOnly,
    isFrozen: frozen[at] ?? false,
    windows: usages[at] ?? [],
  }));
}

/** What makes a Treasury: the address of a new one follows from it. */
export interface TreasuryTerms {
  readonly owners: readonly Address[];
  readonly threshold: bigint;
  /** Tells Treasuries of the same owners apart. */
  readonly salt: Hex;
}

/** Where the factory's Treasury of these terms stands, or would. */
export const treasuryAddress = (
  client: PublicClient,
  factory: Address,
  { owners, threshold, salt }: TreasuryTerms,
): Promise<Address> =>
  client.readContract({
    address: factory,
    abi: treasuryFactoryAbi,
    functionName: "treasuryOf",
    args: [owners, threshold, salt],
  });

/** Makes a Treasury; the factory gives the one that stands there already, if there is one. */
export const createCalldata = ({ owners, threshold, salt }: TreasuryTerms): Hex =>
  encodeFunctionData({
    abi: treasuryFactoryAbi,
    functionName: "createTreasury",
    args: [owners, threshold, salt],
  });

/** Most gas of each question to what may be a Treasury, and may be anything. */
const askingGasMax = 1_000_000n;

/** Whether a Treasury with owners stands at the address: its code says so itself (ERC-5267). */
export async function isTreasury(untrustedCode: UntrustedContracts, address: Address): Promise<boolean> {
  const contract = { address, abi: treasuryAbi } as const;
  try {
    const [[, name], owners] = await untrustedCode.run(askingGasMax, (reader) =>
      Promise.all([
        reader.readContract({ ...contract, functionName: "eip712Domain" }),
        reader.readContract({ ...contract, functionName: "owners" }),
      ]),
    );
    return name === treasuryDomain({ chainId: 0, address }).name && owners.length > 0;
  } catch (error) {
    // Another contract does not answer these questions, and where there is no code nobody does.
    if (!(error instanceof BaseError)) throw error;
    return false;
  }
}

/** Relays a spend that its agent has signed. */
export function spendCalldata(spend: SpendMessage, signature: Hex): Hex {
  const { reference, ...rest } = spend;
  return encodeFunctionData({
    abi: treasuryAbi,
    functionName: "paySigned",
    args: [{ ...rest, ref: reference }, signature],
  });
}

/** What makes it this spend, however often it is signed: all but its validity and its signature. */
export const spendContent = (spend: SpendMessage): Hex => spendCalldata({ ...spend, validBefore: 0n }, "0x");

/**
 * The proposal that a transaction opened in the Treasury, by its receipt, and when its payment is made without the owners,
 * null unless the contract queued it; null when it opened none.
 * @throws BursarError CHAIN_UNAVAILABLE while the node that is asked does not know the transaction
 */
export async function openedProposal(
  client: Pick<PublicClient, "getTransactionReceipt">,
  treasury: Address,
  hash: Hex,
): Promise<{ readonly proposalId: Hex; readonly readyAt: number | null } | null> {
  const { logs } = await client.getTransactionReceipt({ hash }).catch((cause: unknown) => {
    if (!(cause instanceof TransactionReceiptNotFoundError)) throw cause;
    throw new BursarError("CHAIN_UNAVAILABLE", `the chain does not show the receipt of ${hash} yet`, {
      cause,
    });
  });
  const own = logs.filter(({ address }) => isAddressEqual(address, treasury));
  const [opened] = parseEventLogs({ abi: treasuryAbi, eventName: "ProposalOpened", logs: own });
  if (!opened) return null;
  const [queued] = parseEventLogs({ abi: treasuryAbi, eventName: "PaymentQueued", logs: own });
  return { proposalId: opened.args.id, readyAt: queued ? momentOf(queued.args.readyAt) : null };
}

/** Executes a proposal; `quorum` as `quorumOf` of the rules orders it. */
export const executeCalldata = ({ calls, nonce, deadline }: ProposalMessage, quorum: readonly Hex[]): Hex =>
  encodeFunctionData({
    abi: treasuryAbi,
    functionName: "execute",
    args: [calls, nonce, deadline, quorum],
  });

/**
 * An approval as `execute` takes it: a key's signature, the address alone of an owner who approved on the chain, a
 * contract's signature (ERC-1271) behind its address. See ITreasury.execute.
 */
export function consentOf(
  proposalId: Hex,
  { owner, isOnChain, signature }: Omit<StoredApproval, "approvedAt">,
): Hex {
  if (isOnChain || signature === null) return owner;
  return signatureOfKey(proposalId, signature, owner) ?? concatHex([owner, signature]);
}

/**
 * The payment of a token that a Treasury's call says that it makes; null when it makes none, or cannot be read. The zero
 * address is the native coin. Whether the called contract is a token at all, its calldata does not say.
 */
export function paymentIn(
  call: TreasuryCall,
  treasury: Address,
): { token: Address; to: Address; amount: bigint } | null {
  if (isAddressEqual(call.to, treasury)) {
    const decoded = decodedCall(treasuryAbi, call.data);
    if (decoded?.functionName !== "disburse") return null;
    const [, token, to, amount] = decoded.args;
    return { token, to, amount };
  }
  const decoded = decodedCall(erc20Abi, call.data);
  return decoded?.functionName === "transfer"
    ? { token: call.to, to: decoded.args[0], amount: decoded.args[1] }
    : null;
}

/** Null for calldata of no function of the ABI: a proposal may call a contract with anything. */
function decodedCall<const abi extends Abi>(abi: abi, data: Hex): DecodeFunctionDataReturnType<abi> | null {
  try {
    return decodeFunctionData({ abi, data });
  } catch {
    return null;
  }
}
