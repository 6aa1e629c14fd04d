import { keccak256 } from "#offchain/core/keccak.ts";
import { merkleTree } from "#offchain/core/merkle.ts";
import { digestHasher, hashOf, structHasher, typeText } from "#offchain/core/typedHash.ts";
import type { LedgerHead } from "#offchain/features/ledger/rules/head.ts";
import { type ledgerHeadsDomain, ledgerHeadsTypes, ledgerHeadTypes } from "./messages.ts";

/** How long a failed anchor keeps its key before it is sent anew. */
export const againAfterMs = 60_000;

/** What an anchor covers, before it is signed. Epochs count the anchors of a chain run from 0, as the contract does. */
export interface HeadsToSign {
  epoch: bigint;
  heads: readonly LedgerHead[];
  root: `0x${string}`;
  /** Epoch ms. */
  takenAt: number;
}

const headHash = structHasher(typeText(ledgerHeadTypes, "LedgerHead"));
const headsHash = structHasher(typeText(ledgerHeadsTypes, "LedgerHeads"));
const hex = (bytes: Uint8Array): `0x${string}` => `0x${Buffer.from(bytes).toString("hex")}`;

/** The leaf of one head, 32 bytes. */
export const leafOf = ({ unit, height, hash, openings, openingHash }: LedgerHead): Uint8Array =>
  keccak256(headHash(hex(hashOf(unit)), height, `0x${hash}`, openings, `0x${openingHash}`));

/** The Merkle root over the heads, in the order of their units. @throws RangeError for none */
export function rootOf(heads: readonly LedgerHead[]): `0x${string}` {
  const ordered = heads.toSorted((one, other) => (one.unit < other.unit ? -1 : 1));
  return hex(merkleTree(ordered.map(leafOf)).root);
}

/** The EIP-712 digest that the operator signs. */
export const digestOf = (
  { epoch, heads, root, takenAt }: HeadsToSign,
  domain: ReturnType<typeof ledgerHeadsDomain>,
): `0x${string}` => hex(digestHasher(domain)(headsHash(epoch, root, heads.length, takenAt)));

/** Whether nothing was ever written under these heads. */
export const areEmpty = (heads: readonly LedgerHead[]): boolean =>
  heads.every(({ height, openings }) => height === 0 && openings === 0);
