import { erc20Abi } from "viem";
import type { Config } from "wagmi";
import { getBlock, readContract } from "wagmi/actions";
import { parseAmount } from "#offchain/core/unit.ts";
import type { Client } from "#offchain/sdk/client.ts";
import { verifySolvencyProof, writtenSum } from "#offchain/sdk/solvency.ts";
import type { SolvencyLine, SolvencyReport } from "@/lib/model.ts";
import { type PartName, parts } from "./words.ts";

type Proof = Awaited<ReturnType<Client["solvency"]["proof"]>>;
type Verification = ReturnType<typeof verifySolvencyProof>;

/** What the page found by itself about the chain's side; null where the chain could not be asked. */
export interface HoldingsCheck {
  isSameBlock: boolean;
  /** Holders whose balance is not what the service says. */
  differing: string[];
}

export interface ProofCheck {
  unit: string;
  /** The leaf's sum and all leaves', written. */
  owed: string;
  obligations: string;
  parts: Record<PartName, string>;
  proof: Proof;
  verification: Verification;
  steps: { side: "left" | "right"; neighbour: string; together: string; hash: string }[];
  holdings: HoldingsCheck | null;
}

/** Hashes the proof up to the root that the report shows to everybody, and asks the chain about the holdings. */
export async function checkProof(
  config: Config,
  proof: Proof,
  report: SolvencyReport,
  line: SolvencyLine,
  owner: `0x${string}`,
): Promise<ProofCheck> {
  const verification = verifySolvencyProof(proof as Parameters<typeof verifySolvencyProof>[0], {
    owner,
    root: line.root,
  });
  const written = (sum: bigint) => writtenSum(sum, line.unit);
  return {
    unit: line.unit,
    owed: written(verification.leaf?.sum ?? 0n),
    obligations: written(verification.leaf ? BigInt(proof.obligations) : 0n),
    // A leaf that could not be hashed has no parts worth showing.
    parts: Object.fromEntries(
      parts.map((part) => [part, written(verification.leaf ? BigInt(proof.parts[part]) : 0n)]),
    ) as Record<PartName, string>,
    proof,
    verification,
    steps: verification.steps.map(({ isLeft, sibling, parent }) => ({
      side: isLeft ? "right" : "left",
      neighbour: written(sibling.sum),
      together: written(parent.sum),
      hash: parent.hash,
    })),
    holdings: await checkHoldings(config, report, line).catch(() => null),
  };
}

const toBase = ({ amount, unit }: SolvencyLine["obligations"]): bigint => parseAmount(amount, unit);

/** The same questions that the service asked, at the same block, asked by the page. */
async function checkHoldings(
  config: Config,
  report: SolvencyReport,
  { token, unit, holders }: SolvencyLine,
): Promise<HoldingsCheck> {
  const blockNumber = BigInt(report.blockNumber);
  const [block, balances] = await Promise.all([
    getBlock(config, { blockNumber }),
    Promise.all(
      holders.map(({ address }) =>
        readContract(config, {
          address: token as `0x${string}`,
          abi: erc20Abi,
          functionName: "balanceOf",
          args: [address as `0x${string}`],
          blockNumber,
        }),
      ),
    ),
  ]);
  return {
    isSameBlock: block.hash === report.blockHash,
    differing: holders.flatMap(({ name, holds }, at) => {
      const held = balances[at] ?? 0n;
      // Beside USDC the channels' contract may hold more, for channels that the service does not follow.
      const isThere = unit === "USDC" ? writtenSum(held, unit) === holds.amount : held >= toBase(holds);
      return isThere ? [] : [name];
    }),
  };
}
