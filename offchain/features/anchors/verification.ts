import { type Address, type Hex, isAddressEqual, recoverAddress } from "viem";
import type { LedgerHead } from "#offchain/features/ledger/rules/head.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { ledgerHeadsDomain } from "./messages.ts";
import { digestOf, rootOf } from "./rules.ts";
import { everySigned, type SignedHeads } from "./store.ts";

/** The first anchor that does not fit, and why. */
export interface BrokenAnchor {
  epoch: bigint;
  /**
   * `root`: its heads are not those of its root; `signature`: not signed by whom it names; `signer`: signed by no operator
   * that was named; `journal`: the ledger is not what it was then; `chain`: the chain has another root under its number;
   * `unknown`: the chain has a root that is not here; `missing`: the chain lacks it, though later heads were signed.
   */
  why: "root" | "signature" | "signer" | "journal" | "chain" | "unknown" | "missing";
  /** Of `journal`: whose chain was rewritten. */
  unit: string | null;
}

export interface AnchorReport {
  anchors: number;
  /** Who has signed them: to be compared with the operator's address. */
  signers: Address[];
  /** How many of them the chain has; null where it was not asked. */
  onChain: number | null;
  broken: BrokenAnchor | null;
}

export interface AnchorsToVerify {
  sql: Sql;
  ledger: Pick<Ledger, "headsAt">;
  /** Where ReceiptAnchor stands on a chain. */
  addressOn: (chainId: number) => Address;
  /** Who may have signed; without it, anybody, and the report says who has. */
  operators?: readonly Address[];
  /** What a chain has anchored, by epoch; without it, only the database is looked at. */
  onChain?: { chainId: number; anchors: readonly { root: Hex; count: number }[] };
}

/** Compares the ledger with every anchor of it, from the first to the newest, and the anchors with the chain. */
export async function verifyAnchors({
  sql,
  ledger,
  addressOn,
  operators,
  onChain,
}: AnchorsToVerify): Promise<AnchorReport> {
  const signed = await everySigned(sql);
  const report = (broken: BrokenAnchor | null, found: number | null = null): AnchorReport => ({
    anchors: signed.length,
    signers: [...new Set(signed.map(({ signedBy }) => signedBy))],
    onChain: found,
    broken,
  });
  const isOperator = (signer: Address) =>
    operators?.some((operator) => isAddressEqual(operator, signer)) ?? true;
  for (const anchor of signed) {
    const domain = ledgerHeadsDomain(anchor.chainId, addressOn(anchor.chainId));
    const broken = (await brokenWord(anchor, domain)) ?? (await brokenJournal(anchor, ledger));
    if (broken) return report(broken);
    if (!isOperator(anchor.signedBy)) return report({ epoch: anchor.epoch, why: "signer", unit: null });
  }
  if (!onChain) return report(null);
  const ours = signed.filter(({ chainId, isCurrent }) => isCurrent && chainId === onChain.chainId);
  const roots = onChain.anchors.map(({ root }) => root);
  return report(
    brokenOnChain(ours, roots),
    ours.filter(({ epoch, root }) => roots[Number(epoch)] === root).length,
  );
}

function brokenOnChain(ours: readonly SignedHeads[], roots: readonly Hex[]): BrokenAnchor | null {
  const signed = new Map(ours.map(({ epoch, root }) => [epoch, root]));
  for (const [at, root] of roots.entries()) {
    const epoch = BigInt(at);
    const known = signed.get(epoch);
    if (known !== root) return { epoch, why: known ? "chain" : "unknown", unit: null };
  }
  // Heads are signed one by one: only the newest can be on their way.
  const next = BigInt(roots.length);
  const isMissing = ours.some(({ epoch }) => epoch > next);
  return isMissing ? { epoch: next, why: "missing", unit: null } : null;
}

async function brokenWord(
  anchor: SignedHeads,
  domain: ReturnType<typeof ledgerHeadsDomain>,
): Promise<BrokenAnchor | null> {
  const { epoch, heads, root, signedBy, signature } = anchor;
  if (rootIn(heads) !== root) return { epoch, why: "root", unit: null };
  const signer = await recoverAddress({ hash: digestOf(anchor, domain), signature }).catch(() => null);
  return signer === signedBy ? null : { epoch, why: "signature", unit: null };
}

/** The root of what stands in the database, where anybody may have written; null where it is no list of heads. */
function rootIn(heads: readonly LedgerHead[]): Hex | null {
  try {
    return rootOf(heads);
  } catch {
    return null;
  }
}

async function brokenJournal(
  { epoch, heads }: SignedHeads,
  ledger: Pick<Ledger, "headsAt">,
): Promise<BrokenAnchor | null> {
  const now = new Map((await ledger.headsAt(heads)).map((head) => [head.unit, head]));
  const changed = heads.find((head) => !isSame(head, now.get(head.unit)));
  return changed ? { epoch, why: "journal", unit: changed.unit } : null;
}

const isSame = (one: LedgerHead, other: LedgerHead | undefined): boolean =>
  one.hash === other?.hash && one.openingHash === other.openingHash;
