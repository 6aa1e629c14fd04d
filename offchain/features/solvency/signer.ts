import { digestHasher, structHasher } from "#offchain/core/typedHash.ts";
import { type SigningKey, signDigest } from "#offchain/platform/chain/secp256k1.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";

/** What is signed of a solvency root: enough that two contradictory ones are evidence by themselves. */
export interface SolvencyRoot {
  token: `0x${string}`;
  snapshotId: bigint;
  previous: `0x${string}`;
  root: `0x${string}`;
}

/** The operator's word for what it owes. */
export interface SolvencySigner {
  readonly operator: `0x${string}`;
  sign(root: SolvencyRoot): Promise<`0x${string}`>;
}

/** `sdk/solvency.ts` checks it. */
const rootHash = structHasher("SolvencyRoot(address token,uint256 snapshotId,bytes32 previous,bytes32 root)");

export function openSolvencySigner(options: {
  chainId: number;
  key: SigningKey;
  /** The BatchSettlement contract. */
  settlement: `0x${string}`;
}): SolvencySigner {
  const { chainId, key, settlement } = options;
  const digest = digestHasher({
    name: "Bursar Solvency",
    version: "1",
    chainId,
    verifyingContract: settlement,
  });
  return {
    operator: key.address,
    sign: ({ token, snapshotId, previous, root }) =>
      signDigest(hexOf(digest(rootHash(token, snapshotId, previous, root))), key.privateKey),
  };
}
