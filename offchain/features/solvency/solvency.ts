import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Address } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { keccak256 } from "#offchain/core/keccak.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { type Held, type Hub, readHoldings, type SolvencyToken } from "./holdings.ts";
import {
  type Obligation,
  type ObligationKind,
  obligationKinds,
  obligationSum,
  rootOf,
  type SolvencyProof,
} from "./rules.ts";
import type { ProofQuery, Snapshots, SolvencyLine, SolvencyReport } from "./service.ts";
import type { SolvencySigner } from "./signer.ts";
import {
  type Books,
  findLeaf,
  findSnapshot,
  forgetTrees,
  listSnapshots,
  noteConfirmed,
  nothingOwed,
  readBooks,
  type StoredSnapshot,
  saveSnapshot,
  type TokenReport,
  type TokenSnapshot,
} from "./store.ts";
import { plantTree } from "./tree.ts";

export interface SolvencyOptions {
  sql: Sql;
  client: ChainReader;
  view: ChainView;
  clock: Clock;
  chainId: number;
  tokens: readonly SolvencyToken[];
  clearing: { address: Address; settlement: Address };
  signer: SolvencySigner;
  /** How old the newest snapshot may be to be given instead of a new one, ms. */
  freshForMs: number;
}

/** How often books and chain may shift under a reading before it is given up. */
const triesMax = 10;
const tryEveryMs = 100;
const saltBytes = 32;

/** Obligations against holdings, in snapshots whose trees prove them. */
export function openSolvency(options: SolvencyOptions): Snapshots {
  const { sql, view, clock, chainId, signer } = options;
  let taking: Promise<SolvencyReport> | null = null;

  const newest = async (): Promise<StoredSnapshot | null> => {
    const stored = await findSnapshot(sql, chainId, view.status().finalTo);
    return stored && confirmed(options, stored);
  };

  async function take(): Promise<SolvencyReport> {
    const last = await newest();
    if (last && last.status !== "retracted" && clock.now() - last.takenAt < options.freshForMs)
      return reportOf(last, chainId);
    const { books, held } = await readBoth(options);
    const { epochId, blockNumber, blockHash } = books;
    await saveSnapshot(
      sql,
      { chainId, epochId, blockNumber, blockHash, takenAt: clock.now() },
      options.tokens.map((token) => snapshotOf(token, options, books, held.get(token.unit))),
      async ({ snapshotId, takenAt }, { unit, token, levels }, previous) => {
        const top = levels.at(-1)?.[0];
        if (!top) throw new Error("a tree without a root");
        const terms = {
          chainId,
          unit,
          token,
          snapshotId: snapshotId.toString(),
          blockNumber: blockNumber.toString(),
          blockHash,
          takenAt,
          previous,
        };
        const root = hexOf(rootOf(keccak256, terms, top, levels.length - 1));
        const signature = await signer.sign({ token, snapshotId, previous, root });
        return { root, signed: { by: signer.operator, signature } };
      },
    );
    const stored = await newest();
    if (!stored) throw new Error("the snapshot vanished while it was taken");
    return reportOf(stored, chainId);
  }

  /** Callers at the same time share one. */
  function takeOnce(): Promise<SolvencyReport> {
    taking ??= take().finally(() => {
      taking = null;
    });
    return taking;
  }

  return {
    take: takeOnce,

    async report() {
      const stored = await newest();
      return stored ? reportOf(stored, chainId) : takeOnce();
    },

    async proof({ owner, unit, snapshotId }: ProofQuery) {
      const stored =
        snapshotId === undefined
          ? await newest()
          : await findSnapshot(sql, chainId, view.status().finalTo, BigInt(snapshotId));
      const token = stored?.tokens.find((each) => each.unit === unit);
      if (!stored || !token) throw snapshotUnknown(unit, snapshotId, "there is none");
      const leaf = await findLeaf(sql, stored.snapshotId, token, owner);
      if (leaf === "forgotten") throw snapshotUnknown(unit, snapshotId, "its tree is not kept any more");
      if (leaf === null)
        throw new BursarError(
          "OBLIGATION_UNKNOWN",
          `at block ${stored.blockNumber} the service owed ${owner} nothing in ${unit}`,
          { facts: { owner, unit, snapshotId: stored.snapshotId, blockNumber: stored.blockNumber } },
        );
      return proofOf(chainId, stored, token, owner, leaf);
    },

    async list({ cursor, limit }) {
      const before = cursor === undefined ? undefined : BigInt(cursor);
      const stored = await listSnapshots(sql, chainId, view.status().finalTo, before, limit);
      const shown = await Promise.all(stored.map((each) => confirmed(options, each)));
      return {
        items: shown.map((each) => reportOf(each, chainId)),
        next: stored.length === limit ? (stored.at(-1)?.snapshotId.toString() ?? null) : null,
      };
    },

    forget: (before) => forgetTrees(sql, chainId, before),
  };
}

/** Asks the chain once, when its answer about the snapshot's block is final, and remembers it. */
async function confirmed(
  { sql, client }: Pick<SolvencyOptions, "sql" | "client">,
  stored: StoredSnapshot,
): Promise<StoredSnapshot> {
  if (!stored.isUnasked) return stored;
  // Without an answer the snapshot is pending still, and is shown all the same.
  const block = await client.getBlock({ blockNumber: stored.blockNumber }).catch(() => null);
  if (!block) return stored;
  const isConfirmed = block.hash === stored.blockHash;
  await noteConfirmed(sql, stored.snapshotId, isConfirmed);
  return { ...stored, status: isConfirmed ? "confirmed" : "retracted", isUnasked: false };
}

/**
 * The books, and the contracts at the block that the books stand at. The block's hash is asked for after all else, so an
 * answer of another fork is noticed; then both are read again.
 */
async function readBoth(options: SolvencyOptions): Promise<{ books: Books; held: Map<UnitCode, Held> }> {
  const { sql, client, view, tokens, clearing } = options;
  const units = tokens.map(({ unit }) => unit);
  for (let tried = 0; tried < triesMax; tried += 1) {
    if (tried > 0) await delay(tryEveryMs);
    await view.waitForBlock(await client.getBlockNumber());
    const books = await readBooks(sql, view.status().epoch, units);
    if (!books) continue;
    const held = await readHoldings(client, tokens, clearing, [...books.credited.keys()], books.blockNumber);
    const { hash } = await client.getBlock({ blockNumber: books.blockNumber });
    if (hash === books.blockHash) return { books, held };
  }
  throw new BursarError(
    "CHAIN_UNAVAILABLE",
    "the chain is not the one that the ledger follows, or changes faster than it can be read",
    { facts: { tries: triesMax } },
  );
}

/** One token's figures and tree, leaves salted anew. */
function snapshotOf(
  { unit, token }: SolvencyToken,
  { clearing }: Pick<SolvencyOptions, "clearing">,
  books: Books,
  held: Held | undefined,
): TokenSnapshot {
  const owed = new Map(books.owed.get(unit));
  if (held?.hub) oweToPayees(owed, books, held.hub, clearing.address.toLowerCase());
  const owners = [...owed].map(([owner, parts]) => ({ owner, parts, salt: randomBytes(saltBytes) }));
  const { levels, positions } = plantTree(keccak256, owners, () => randomBytes(saltBytes));
  const parts = totals(owed.values());
  const holders = held?.holders ?? [];
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

/**
 * What channels owe to the hub is owed to the payees that it has credited: theirs are the leaves. What it was promised
 * or has promised on the chain beyond that stays its own.
 */
function oweToPayees(owed: Map<string, Obligation>, { credited }: Books, hub: Hub, owner: string): void {
  const own = owed.get(owner) ?? nothingOwed;
  let sum = 0n;
  for (const [payee, all] of credited) {
    const credits = all - (hub.paid.get(payee) ?? 0n);
    if (credits <= 0n) continue;
    sum += credits;
    owed.set(payee, { ...(owed.get(payee) ?? nothingOwed), credits });
  }
  const inBooks = own.promised + own.claimed;
  let most = sum;
  for (const amount of [inBooks, hub.promised]) if (amount > most) most = amount;
  const left = { ...own, promised: 0n, claimed: 0n, credits: most - sum };
  if (obligationSum(left) > 0n) owed.set(owner, left);
  else owed.delete(owner);
}

function totals(owed: Iterable<Obligation>): Obligation {
  const sums: Record<ObligationKind, bigint> = { ...nothingOwed };
  for (const parts of owed) for (const kind of obligationKinds) sums[kind] += parts[kind];
  return sums;
}

function reportOf(stored: StoredSnapshot, chainId: number): SolvencyReport {
  const items = stored.tokens.map(lineOf);
  return {
    snapshotId: stored.snapshotId.toString(),
    takenAt: stored.takenAt,
    chainId,
    blockNumber: stored.blockNumber.toString(),
    blockHash: stored.blockHash,
    status: stored.status,
    isSolvent: items.every(({ isSolvent }) => isSolvent),
    items,
  };
}

function lineOf({ unit, token, parts, obligations, holdings, holders, ...tree }: TokenReport): SolvencyLine {
  const money = (amount: bigint) => ({ amount: formatAmount(amount, unit), unit });
  return {
    unit,
    token,
    obligations: money(obligations),
    holdings: money(holdings),
    surplus: money(holdings - obligations),
    isSolvent: holdings >= obligations,
    parts: Object.fromEntries(
      obligationKinds.map((kind) => [kind, money(parts[kind])]),
    ) as SolvencyLine["parts"],
    holders: holders.map(({ name, address, amount }) => ({ name, address, holds: money(amount) })),
    top: tree.top,
    root: tree.root,
    previous: tree.previous,
    signed: tree.signed,
    depth: tree.depth,
  };
}

function proofOf(
  chainId: number,
  stored: StoredSnapshot,
  { unit, token, obligations, root, previous }: TokenReport,
  owner: string,
  leaf: Exclude<Awaited<ReturnType<typeof findLeaf>>, "forgotten" | null>,
): SolvencyProof & { unit: UnitCode } {
  return {
    chainId,
    unit,
    token,
    snapshotId: stored.snapshotId.toString(),
    blockNumber: stored.blockNumber.toString(),
    blockHash: stored.blockHash,
    takenAt: stored.takenAt,
    previous,
    owner,
    salt: leaf.salt,
    parts: Object.fromEntries(
      obligationKinds.map((kind) => [kind, leaf.parts[kind].toString()]),
    ) as SolvencyProof["parts"],
    position: leaf.position,
    path: leaf.path.map(({ hash, sum }) => ({ hash, sum: sum.toString() })),
    obligations: obligations.toString(),
    root,
  };
}

const snapshotUnknown = (unit: UnitCode, snapshotId: string | undefined, why: string): BursarError =>
  new BursarError("SNAPSHOT_UNKNOWN", `no tree in ${unit} of snapshot ${snapshotId ?? "(newest)"}: ${why}`, {
    facts: { unit, snapshotId },
  });
