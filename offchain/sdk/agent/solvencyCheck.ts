import { BursarError } from "#offchain/core/error.ts";
import { formatAmount, parseAmount } from "#offchain/core/unit.ts";
import type { Client } from "../client.ts";
import { verifySolvencyLine, verifySolvencyProof, verifySolvencySignature } from "../solvency.ts";

type Report = Awaited<ReturnType<Client["solvency"]["report"]>>;
type Line = Report["items"][number];
type Proof = Awaited<ReturnType<Client["solvency"]["proof"]>>;
type Unit = Line["unit"];

/**
 * What an owner can find wrong. `stale`: no snapshot for too long. `short`: less is held than owed. `root`: it does not
 * commit to the sum that is told. `unsigned`: the operator has not signed it. `forked`: it does not continue the root that was
 * told before. `missing`: the owner has no leaf although he is owed something. `proof`: his leaf does not lead to the root.
 * `less`: it says less than he knows of.
 */
export type SolvencyProblem =
  | "stale"
  | "short"
  | "root"
  | "unsigned"
  | "forked"
  | "missing"
  | "proof"
  | "less";

/** A root that its owner remembers; the later ones must continue it. With its signature it is evidence against a fork. */
export interface KnownRoot {
  snapshotId: string;
  root: string;
  previous?: string;
  signed?: Line["signed"];
}

export interface SolvencyCheck {
  problems: SolvencyProblem[];
  /** What the root counts for the owner; a written amount. */
  counted: string;
  obligations: string;
  holdings: string;
  blockNumber: string;
  /** To be remembered, and handed in at the next check. */
  known: KnownRoot;
  /** Evidence, to be kept if something is wrong. */
  report: Report;
  proof: Proof | null;
}

export interface SolvencyQuestion {
  /** The caller's own address. */
  owner: `0x${string}`;
  unit: Unit;
  /** Who must have signed the root: whom the caller trusts, e.g. the `receiverAuthorizer` of its channels. */
  operator: `0x${string}`;
  /** What the caller knows that he is owed at least; a written amount. */
  least?: string | undefined;
  known?: KnownRoot | null | undefined;
  /** Epoch ms. */
  now: number;
  staleAfterMs?: number;
}

const defaultStaleAfterMs = 600_000;
const pageSize = 200;

/**
 * Everything that an owner can check by himself: the report against its root, the root against the one he knew, and his
 * own leaf. The root is asked for without saying who asks; only the proof is asked for by name.
 * @param anyone asks without a signature; `owner` signs
 */
export async function checkSolvency(
  { anyone, owner }: { anyone: Pick<Client, "solvency">; owner: Pick<Client, "solvency"> },
  question: SolvencyQuestion,
): Promise<SolvencyCheck> {
  const { unit, operator, known, now, least = "0", staleAfterMs = defaultStaleAfterMs } = question;
  const report = await anyone.solvency.report();
  const line = lineOf(report, unit);
  const proof = await proofOf(owner, unit, report.snapshotId);
  const verified = proof && verifySolvencyProof(proof as never, { owner: question.owner, root: line.root });
  const counted = verified?.isValid ? (verified.leaf?.sum ?? 0n) : 0n;
  const owed = parseAmount(least, unit);
  const found: Record<SolvencyProblem, boolean> = {
    // One from the future says nothing of how old it is, and would be fresh until then.
    stale: Math.abs(now - report.takenAt) > staleAfterMs,
    short: !isCovered(line),
    root: !verifySolvencyLine(report, line),
    unsigned: !(await verifySolvencySignature(report, line, operator)),
    forked: known ? !(await continues(anyone, report, unit, known)) : false,
    missing: proof === null && owed > 0n,
    proof: verified !== null && !verified.isValid,
    less: verified?.isValid === true && counted < owed,
  };
  return {
    problems: (Object.keys(found) as SolvencyProblem[]).filter((problem) => found[problem]),
    counted: formatAmount(counted, unit),
    obligations: line.obligations.amount,
    holdings: line.holdings.amount,
    blockNumber: report.blockNumber,
    known: {
      snapshotId: report.snapshotId,
      root: line.root,
      previous: line.previous,
      signed: line.signed,
    },
    report,
    proof,
  };
}

function lineOf(report: Report, unit: Unit): Line {
  const line = report.items.find((each) => each.unit === unit);
  if (line) return line;
  throw new BursarError("UNIT_UNKNOWN", `the service reports no solvency in ${unit}`, { facts: { unit } });
}

const isCovered = ({ obligations, holdings, unit }: Line): boolean =>
  parseAmount(obligations.amount, unit) <= parseAmount(holdings.amount, unit);

async function proofOf(
  client: Pick<Client, "solvency">,
  unit: Unit,
  snapshotId: string,
): Promise<Proof | null> {
  try {
    return await client.solvency.proof({ unit, snapshotId });
  } catch (error) {
    if (error instanceof BursarError && error.code === "OBLIGATION_UNKNOWN") return null;
    throw error;
  }
}

/** Whether the known root is an ancestor of the report's: each snapshot's root must be the `previous` of the next one's. */
async function continues(
  client: Pick<Client, "solvency">,
  newest: Report,
  unit: Unit,
  known: KnownRoot,
): Promise<boolean> {
  let wanted = lineOf(newest, unit).root;
  let cursor: string | null = (BigInt(newest.snapshotId) + 1n).toString();
  while (cursor !== null) {
    const page: Awaited<ReturnType<Client["solvency"]["list"]>> = await client.solvency.list({
      cursor,
      limit: pageSize,
    });
    for (const report of page.items) {
      const line = report.items.find((each) => each.unit === unit);
      if (!line || line.root !== wanted || !verifySolvencyLine(report, line)) return false;
      if (BigInt(report.snapshotId) <= BigInt(known.snapshotId)) return line.root === known.root;
      wanted = line.previous;
    }
    cursor = page.next;
  }
  return false;
}
