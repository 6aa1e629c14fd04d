import { digestHasher, structHasher, typeText } from "#offchain/core/typedHash.ts";
import type { DigestSigner } from "#offchain/platform/chain/signatures/signer.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import { type SolvencyRoot, solvencyDomain, solvencyRootTypes } from "../messages.ts";

/** The operator's word for what it owes. */
export interface SolvencySigner {
  readonly operator: `0x${string}`;
  sign(root: SolvencyRoot): Promise<`0x${string}`>;
}

/** `sdk/solvency.ts` checks it. */
const rootHash = structHasher(typeText(solvencyRootTypes, "SolvencyRoot"));

export function openSolvencySigner(options: {
  chainId: number;
  signer: DigestSigner;
  /** The BatchSettlement contract. */
  settlement: `0x${string}`;
}): SolvencySigner {
  const { chainId, signer, settlement } = options;
  const digest = digestHasher(solvencyDomain(chainId, settlement));
  return {
    operator: signer.address,
    sign: ({ token, snapshotId, previous, root }) =>
      signer.signDigest(hexOf(digest(rootHash(token, snapshotId, previous, root)))),
  };
}
