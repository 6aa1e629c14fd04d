import { keccak256 } from "viem";
import { type SolvencyProof, type Verification, verifyProof } from "#offchain/domain/solvency.ts";
import { formatAmount } from "#offchain/domain/unit.ts";

/**
 * Checks, with nobody's help, that the root which everybody is shown includes what is owed to `owner`.
 * @param expected.owner the caller's own address
 * @param expected.root from `solvency.report`, or better from somebody else who asked for it too
 */
export const verifySolvencyProof = (
  proof: SolvencyProof,
  expected: { owner: `0x${string}`; root: string },
): Verification =>
  verifyProof((bytes) => keccak256(bytes, "bytes"), proof, {
    ...expected,
    owner: expected.owner.toLowerCase(),
  });

/** Base units of a proof as a written amount. */
export const writtenSum = (sum: bigint, unit: SolvencyProof["unit"]): string => formatAmount(sum, unit);
