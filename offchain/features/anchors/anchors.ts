import type { Clock } from "#offchain/core/clock.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { isYounger } from "#offchain/platform/age.ts";
import type { Transactions } from "#offchain/platform/chain/port.ts";
import type { DigestSigner } from "#offchain/platform/chain/signatures/signer.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { anchorCall } from "./contract.ts";
import { ledgerHeadsDomain } from "./messages.ts";
import { againAfterMs, areEmpty, digestOf, rootOf } from "./rules.ts";
import type { Anchors, AnchorView } from "./service.ts";
import { foreignEpochs, listAnchors, runStartedAt, type StoredAnchor, saveSigned } from "./store.ts";

export interface AnchorOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "heads">;
  readonly sender: Pick<Transactions, "enqueue">;
  readonly signer: DigestSigner;
  /** The ReceiptAnchor contract. */
  readonly address: `0x${string}`;
  readonly chainId: number;
  /** The current chain run, or null before the chain is met. */
  readonly runId: () => bigint | null;
  readonly everyMs: number;
}

/** How many epochs health names, and for how long after they were anchored: a database made anew has others behind it. */
const namedMax = 5;
const namedForMs = 7 * 86_400_000;
/** Heads that are not on the chain so long after they were signed are not on their way any more. */
const lateAfterMs = 600_000;

/** Reads of what was signed and anchored. */
export const openAnchors = ({
  sql,
  clock,
  runId,
}: Pick<AnchorOptions, "sql" | "clock" | "runId">): Anchors => ({
  async list({ cursor, limit }) {
    const run = runId();
    const found = run === null ? [] : await listAnchors(sql, run, { before: cursor, limit });
    const items = found.map(viewOf);
    return { items, next: items.length === limit ? (items.at(-1)?.epoch ?? null) : null };
  },
  async problem() {
    const run = runId();
    if (run === null) return null;
    const now = clock.now();
    const foreign = await foreignEpochs(sql, run, now - namedForMs, namedMax);
    if (foreign.length > 0)
      return `the chain has other heads of a ledger than this one under epoch ${foreign.join(", ")}`;
    const [newest] = await listAnchors(sql, run, { limit: 1 });
    const waits = newest?.signed && !newest.anchored && !isYounger(newest.signed.takenAt, lateAfterMs, now);
    return waits
      ? `the heads of epoch ${newest.epoch} are signed and not anchored: ${newest.signed?.signedBy} needs the anchorer's role, and gas`
      : null;
  },
});

/**
 * One pass: signs the ledger's heads when it is time and something was written since, stores them, and hands the anchor
 * to the sender; what was signed and is not anchored is handed over again, under the same key.
 */
export async function anchorHeads(options: AnchorOptions): Promise<void> {
  const { sql, clock, ledger, everyMs } = options;
  const runId = options.runId();
  if (runId === null) return;
  const [newest] = await listAnchors(sql, runId, { limit: 1 });
  if (newest?.signed && !newest.anchored) return send(options, newest.signed);
  const since = newest?.signed?.takenAt ?? newest?.anchored?.at ?? (await runStartedAt(sql, runId));
  if (isYounger(since, everyMs, clock.now())) return;
  const heads = await ledger.heads();
  const root = rootOf(heads);
  // Heads whose number the chain gave to another root are bound by nothing yet.
  const isAnchored = root === newest?.signed?.root && root === newest.anchored?.root;
  if (areEmpty(heads) || isAnchored) return;
  const unsigned = { epoch: newest ? newest.epoch + 1n : 0n, heads, root, takenAt: clock.now() };
  const { signer, chainId, address } = options;
  const signature = await signer.signDigest(digestOf(unsigned, ledgerHeadsDomain(chainId, address)));
  const signed = { ...unsigned, signedBy: signer.address, signature };
  // Else another instance was first, or somebody else has anchored: the next pass sees it.
  if (await saveSigned(sql, runId, signed)) await send(options, signed);
}

async function send(
  { sender, address }: AnchorOptions,
  { epoch, root, heads }: { epoch: bigint; root: `0x${string}`; heads: readonly unknown[] },
): Promise<void> {
  await sender.enqueue({
    key: `anchor:ledger:${epoch}:${root}`,
    to: address,
    data: anchorCall(epoch, root, heads.length),
    purpose: "ledger.anchor",
    isOnce: true,
    againAfterMs,
    isIndependent: true,
  });
}

const viewOf = ({ epoch, signed, anchored }: StoredAnchor): AnchorView => ({
  epoch: epoch.toString(),
  state: !anchored ? "pending" : signed?.root === anchored.root ? "anchored" : "foreign",
  signed: signed && {
    root: signed.root,
    takenAt: signed.takenAt,
    by: signed.signedBy,
    signature: signed.signature,
    heads: signed.heads.map(({ unit, height, hash, openings, openingHash }) => ({
      unit,
      height: height.toString(),
      hash: `0x${hash}` as const,
      openings: openings.toString(),
      openingHash: `0x${openingHash}` as const,
    })),
  },
  anchored,
});
