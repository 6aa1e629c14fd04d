import { hexToBytes, keccak256, recoverTypedDataAddress, toHex } from "viem";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import { solvencyDomain, solvencyRootTypes } from "#offchain/features/solvency/messages.ts";
import {
  type ObligationKind,
  obligationKinds,
  rootOf,
  type SolvencyProof,
  type SolvencyTerms,
  type Verification,
  verifyProof,
} from "#offchain/features/solvency/rules/proof.ts";
import { batchSettlementAddress } from "./paying/channel.ts";

const keccak = (bytes: Uint8Array): Uint8Array => keccak256(bytes, "bytes");

/**
 * Checks, with nobody's help, that the root which everybody is shown includes what is owed to `owner`.
 * @param expected.owner the caller's own address
 * @param expected.root from `solvency.report`, or better from somebody else who asked for it too
 */
export const verifySolvencyProof = (
  proof: SolvencyProof,
  expected: { owner: `0x${string}`; root: string },
): Verification =>
  verifyProof(keccak, proof, {
    ...expected,
    owner: expected.owner.toLowerCase(),
  });

interface ReportedLine {
  unit: SolvencyProof["unit"];
  token: string;
  obligations: { amount: string };
  parts: Record<ObligationKind, { amount: string }>;
  top: string | null;
  root: string;
  previous: string;
  depth: number;
}

interface Reported {
  snapshotId: string;
  takenAt: number;
  chainId: number;
  blockNumber: string;
  blockHash: string;
}

/**
 * Whether a report's root commits to the very sum, block and root before it that the report tells: what anybody can
 * check, whether owed something or not. @returns false also where the tree's own hash is not told.
 */
export function verifySolvencyLine(report: Reported, line: ReportedLine): boolean {
  try {
    const { unit, top, depth } = line;
    const sum = parseAmount(line.obligations.amount, unit);
    const parts = obligationKinds.reduce((all, kind) => all + parseAmount(line.parts[kind].amount, unit), 0n);
    if (top === null || parts !== sum) return false;
    const terms = { ...report, unit, token: line.token, previous: line.previous } as SolvencyTerms;
    const node = { hash: hexToBytes(top as `0x${string}`), sum };
    return toHex(rootOf(keccak, terms, node, depth)) === line.root;
  } catch {
    return false;
  }
}

/**
 * Whether the operator signed the report's root. Two of its signatures for one token that name the same snapshot or the
 * same root before, and different roots, prove to anybody that it told two stories.
 * @param operator whom the caller trusts, e.g. the `receiverAuthorizer` of its channels
 */
export async function verifySolvencySignature(
  report: Pick<Reported, "snapshotId" | "chainId">,
  line: Pick<ReportedLine, "token" | "previous" | "root"> & {
    signed: { by: string; signature: string } | null;
  },
  operator: `0x${string}`,
): Promise<boolean> {
  if (!line.signed) return false;
  try {
    const signer = await recoverTypedDataAddress({
      domain: solvencyDomain(report.chainId, batchSettlementAddress),
      types: solvencyRootTypes,
      primaryType: "SolvencyRoot",
      message: {
        token: line.token as `0x${string}`,
        snapshotId: BigInt(report.snapshotId),
        previous: line.previous as `0x${string}`,
        root: line.root as `0x${string}`,
      },
      signature: line.signed.signature as `0x${string}`,
    });
    return signer.toLowerCase() === operator.toLowerCase();
  } catch {
    return false;
  }
}

/** Base units of a proof as a written amount. */
export const writtenSum = (sum: bigint, unit: SolvencyProof["unit"]): string => formatAmount(sum, unit);
