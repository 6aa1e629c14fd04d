import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import { obligationKinds, type SolvencyProof } from "../rules/proof.ts";
import type { SolvencyLine, SolvencyReport } from "../service.ts";
import type { StoredLeaf, StoredSnapshot, TokenReport } from "../store.ts";

/** Snapshots as they are told: amounts written out. */

export function reportOf(stored: StoredSnapshot, chainId: number): SolvencyReport {
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

export function proofOf(
  chainId: number,
  stored: StoredSnapshot,
  { unit, token, obligations, root, previous }: TokenReport,
  owner: string,
  leaf: StoredLeaf,
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
