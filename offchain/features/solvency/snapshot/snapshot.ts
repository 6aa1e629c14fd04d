import { randomBytes } from "node:crypto";
import { keccak256 } from "#offchain/core/keccak.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { Clearings, Credit } from "#offchain/features/clearing/service.ts";
import { accountKind } from "#offchain/features/ledger/rules/transfer.ts";
import type { LedgerFigures } from "#offchain/features/ledger/service.ts";
import { chainAccount, payeeAccounts } from "#offchain/features/payments/rules/accounts.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { ChannelsWithin } from "#offchain/features/payments/service.ts";
import type { X402 } from "#offchain/features/x402/service.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Steps } from "#offchain/platform/slices.ts";
import type { Held, SolvencyToken } from "../contract.ts";
import { owedThroughHub } from "../rules/hub.ts";
import { gatherObligations, totals } from "../rules/obligations.ts";
import { type Obligation, obligationSum } from "../rules/proof.ts";
import { type OwnedObligation, plantTree } from "../rules/tree.ts";
import { indexedHead, type TokenSnapshot } from "../store.ts";

const saltBytes = 32;

/** The features that owe, each asked inside one transaction. */
export interface Owing {
  ledger: LedgerFigures;
  payments: ChannelsWithin;
  clearings: Pick<Clearings, "credits">;
  x402: Pick<X402, "chargedWithin">;
}

/** The ledger's side at one moment: the block that it stands at, and what is owed to whom. Base units. */
export interface Books {
  runId: bigint;
  blockNumber: bigint;
  blockHash: `0x${string}`;
  owed: Map<UnitCode, Map<string, Obligation>>;
  /** What payees of cleared channels were credited, by lower-case address. */
  credited: ReadonlyMap<string, Credit>;
  /** What the settlement contract holds for channels that are followed. */
  inChannels: (unit: UnitCode) => bigint;
}

/** The run of a chain whose books are read. */
export interface ChainRun {
  runId: bigint;
  /** Whether the chain is what is meant where nothing else is said. */
  isDefault: boolean;
}

/**
 * Reads everything in one snapshot of the database, for money that moves between two readings would be owed twice or
 * not at all; null before the first block of the chain run is indexed.
 */
export async function readBooks(
  sql: Sql,
  { ledger, payments, clearings, x402 }: Owing,
  { runId, isDefault }: ChainRun,
  units: readonly UnitCode[],
): Promise<Books | null> {
  return (await sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const head = await indexedHead(tx, runId);
    if (!head) return null;
    const accounts = await ledger.owedWithin(tx, units);
    const parties = await payments.partiesWithin(
      tx,
      runId,
      accounts.map(({ name }) => name),
    );
    // What another run of a chain holds in channels, or owes to payees, is none of this one's. An account that names no
    // chain is owed once, on the default one.
    const own = accounts.filter(({ name }) => {
      const kind = accountKind(name);
      if (kind === "channel") return parties.has(name);
      return kind === "payee" ? name.startsWith(payeeAccounts(runId)) : isDefault;
    });
    const charged = await x402.chargedWithin(tx, runId);
    const outside = chainAccount(runId);
    const balanceOf = await ledger.balancesWithin(tx, [outside]);
    return {
      runId,
      ...head,
      owed: gatherObligations(units, own, parties, charged),
      credited: await clearings.credits(tx, runId),
      inChannels: (unit) => -balanceOf(outside, unit).balance,
    };
  })) as Books | null;
}

/**
 * What its holders have of a token for those who are owed. In another token than USDC the settlement contract may hold
 * money of foreign channels too, which backs nothing here: no more is counted than the books have there.
 */
function countedHolders(
  unit: UnitCode,
  { settlement }: ContractsOfSnapshot,
  { inChannels }: Books,
  held: Held | undefined,
): Held["holders"] {
  const holders = held?.holders ?? [];
  if (unit === usdcUnit) return holders;
  const most = inChannels(unit);
  return holders.map((holder) =>
    holder.address === settlement && holder.amount > most ? { ...holder, amount: most } : holder,
  );
}

/** Clearing, and the settlement contract. */
export interface ContractsOfSnapshot {
  address: `0x${string}`;
  settlement: `0x${string}`;
}

/** One token's figures and tree, leaves salted anew; a step for each owner and node. */
export function* snapshotOf(
  { unit, token }: SolvencyToken,
  contracts: ContractsOfSnapshot,
  books: Books,
  held: Held | undefined,
): Steps<TokenSnapshot> {
  const inBooks = books.owed.get(unit) ?? new Map<string, Obligation>();
  const owed = held?.hub
    ? owedThroughHub(inBooks, books.credited, held.hub, contracts.address.toLowerCase())
    : inBooks;
  const owners: OwnedObligation[] = [];
  for (const [owner, parts] of owed) {
    owners.push({ owner, parts, salt: randomBytes(saltBytes) });
    yield;
  }
  const { levels, positions } = yield* plantTree(keccak256, owners, () => randomBytes(saltBytes));
  const parts = totals(owed.values());
  const holders = countedHolders(unit, contracts, books, held);
  return {
    unit,
    token,
    parts,
    obligations: obligationSum(parts),
    holdings: holders.reduce((sum, { amount }) => sum + amount, 0n),
    holders,
    levels,
    leaves: owners.map((leaf) => ({ ...leaf, position: positions.get(leaf.owner) ?? -1 })),
  };
}
