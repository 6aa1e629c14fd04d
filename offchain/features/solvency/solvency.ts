import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { keccak256 } from "#offchain/core/keccak.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { shareNext } from "#offchain/platform/jobs/shareNext.ts";
import { inSlices } from "#offchain/platform/slices.ts";
import { type Held, readHoldings, type SolvencyToken } from "./contract.ts";
import { rootOf } from "./rules/proof.ts";
import type { ProofQuery, Snapshots, SolvencyReport } from "./service.ts";
import { PaidCredits } from "./snapshot/paidCredits.ts";
import type { SolvencySigner } from "./snapshot/signer.ts";
import {
  type Books,
  type ContractsOfSnapshot,
  type Owing,
  readBooks,
  snapshotOf,
} from "./snapshot/snapshot.ts";
import { proofOf, reportOf } from "./snapshot/views.ts";
import {
  findLeaf,
  findSnapshot,
  forgetTrees,
  listSnapshots,
  noteConfirmed,
  type Seal,
  type SnapshotFacts,
  type StoredSnapshot,
  saveSnapshot,
  type TokenSnapshot,
} from "./store.ts";

export interface SolvencyOptions {
  sql: Sql;
  owing: Owing;
  client: ChainReader;
  view: ChainView;
  clock: Clock;
  chainId: number;
  /** Whether the chain is what is meant where nothing else is said. */
  isDefault: boolean;
  tokens: readonly SolvencyToken[];
  clearing: ContractsOfSnapshot;
  signer: SolvencySigner;
  /** How old the newest snapshot may be to be given instead of a new one, ms. */
  freshForMs: number;
}

/** Whoever asks on and on has snapshots taken for a tenth of the time at most: each costs the more, the more are owed. */
const restTimes = 10;

/** How often books and chain may shift under a reading before it is given up. */
const triesMax = 10;
const tryEveryMs = 100;

/** How far ahead of this instance's clock that of another may have been when it took a snapshot. */
const aheadMaxMs = 5_000;

/** Obligations against holdings, in snapshots whose trees prove them. */
export function openSolvency(options: SolvencyOptions): Snapshots {
  const { sql, view, clock, chainId } = options;

  const newest = async (): Promise<StoredSnapshot | null> => {
    const stored = await findSnapshot(sql, chainId, view.status().finalTo);
    return stored && confirmed(options, stored);
  };

  const takeShared = shareNext(taker(options, newest));

  return {
    take: takeShared,

    async report() {
      const stored = await newest();
      return stored ? reportOf(stored, chainId) : takeShared();
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
      if (leaf === null) throw obligationUnknown(stored, unit, owner);
      return proofOf(chainId, stored, token, owner, leaf);
    },

    async list({ cursor, limit }) {
      const stored = await listSnapshots(sql, chainId, view.status().finalTo, cursor, limit);
      const shown = await Promise.all(stored.map((each) => confirmed(options, each)));
      return {
        items: shown.map((each) => reportOf(each, chainId)),
        next: stored.length === limit ? (stored.at(-1)?.snapshotId.toString() ?? null) : null,
      };
    },

    async problem() {
      const stored = await findSnapshot(sql, chainId, view.status().finalTo);
      const aheadMs = stored ? stored.takenAt - clock.now() : 0;
      if (!stored || aheadMs <= aheadMaxMs) return null;
      return `snapshot ${stored.snapshotId} was taken ${aheadMs} ms ahead of now, by a clock that was wrong; the next one follows it`;
    },

    forget: (before) => forgetTrees(sql, chainId, before),
  };
}

/** Takes a snapshot, unless the newest is fresh: the longer the last one took, the longer it is, where anything is. */
function taker(
  options: SolvencyOptions,
  newest: () => Promise<StoredSnapshot | null>,
): () => Promise<SolvencyReport> {
  const { sql, clock, chainId } = options;
  const paid = new PaidCredits();
  let tookMs = 0;

  return async () => {
    const last = await newest();
    const freshForMs = options.freshForMs && Math.max(options.freshForMs, restTimes * tookMs);
    if (last && last.status !== "retracted" && isYounger(last.takenAt, freshForMs, clock.now()))
      return reportOf(last, chainId);
    const begunAt = performance.now();
    const { books, held } = await readBoth(options, paid);
    const { runId, blockNumber, blockHash } = books;
    const snapshots: TokenSnapshot[] = [];
    for (const token of options.tokens)
      snapshots.push(await inSlices(snapshotOf(token, options.clearing, books, held.get(token.unit))));
    await saveSnapshot(
      sql,
      { chainId, runId, blockNumber, blockHash, takenAt: clock.now() },
      snapshots,
      (facts, token, previous) => seal(options, facts, token, previous),
    );
    tookMs = performance.now() - begunAt;
    const stored = await newest();
    if (!stored) throw new Error("the snapshot vanished while it was taken");
    return reportOf(stored, chainId);
  };
}

/** The root over a token's tree, and the operator's signature over it. */
async function seal(
  { chainId, signer }: Pick<SolvencyOptions, "chainId" | "signer">,
  { snapshotId, blockNumber, blockHash, takenAt }: SnapshotFacts,
  { unit, token, levels }: TokenSnapshot,
  previous: `0x${string}`,
): Promise<Seal> {
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
async function readBoth(
  options: SolvencyOptions,
  paid: PaidCredits,
): Promise<{ books: Books; held: Map<UnitCode, Held> }> {
  const { sql, owing, client, view, tokens, clearing, isDefault } = options;
  const units = tokens.map(({ unit }) => unit);
  const hashOf = (blockNumber: bigint) =>
    client.getBlock({ blockNumber }).then(
      ({ hash }) => hash,
      // It is known at the next snapshot.
      () => null,
    );
  for (let tried = 0; tried < triesMax; tried += 1) {
    if (tried > 0) await delay(tryEveryMs);
    await view.waitForBlock(await client.getBlockNumber());
    const books = await readBooks(sql, owing, { runId: view.runNow(), isDefault }, units);
    if (!books) continue;
    const asked = paid.toAsk(books);
    const held = await readHoldings(client, tokens, clearing, asked, books.blockNumber);
    const { hash } = await client.getBlock({ blockNumber: books.blockNumber });
    if (hash !== books.blockHash) continue;
    await paid.settle(view.status().finalTo, hashOf);
    return { books, held: withPaid(held, books, paid) };
  }
  throw new BursarError(
    "CHAIN_UNAVAILABLE",
    "the chain is not the one that the ledger follows, or changes faster than it can be read",
    { facts: { tries: triesMax } },
  );
}

/** Those who were not asked for were paid what is known of them. */
const withPaid = (held: ReadonlyMap<UnitCode, Held>, books: Books, paid: PaidCredits): Map<UnitCode, Held> =>
  new Map(
    [...held].map(([unit, { holders, hub }]) => {
      if (hub) paid.note(books, hub.paid);
      return [unit, { holders, hub: hub && { ...hub, paid: paid.with(hub.paid) } }];
    }),
  );

const obligationUnknown = (
  { snapshotId, blockNumber }: StoredSnapshot,
  unit: UnitCode,
  owner: string,
): BursarError =>
  new BursarError(
    "OBLIGATION_UNKNOWN",
    `at block ${blockNumber} the service owed ${owner} nothing in ${unit}`,
    { facts: { owner, unit, snapshotId, blockNumber } },
  );

const snapshotUnknown = (unit: UnitCode, snapshotId: string | undefined, why: string): BursarError =>
  new BursarError("SNAPSHOT_UNKNOWN", `no tree in ${unit} of snapshot ${snapshotId ?? "(newest)"}: ${why}`, {
    facts: { unit, snapshotId },
  });
