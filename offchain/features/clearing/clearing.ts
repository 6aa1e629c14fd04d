import { getAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { Hub } from "#offchain/features/payments/service.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import { requestedFrom } from "#offchain/platform/chain/client/provider.ts";
import { type ChainView, sharedReadMs } from "#offchain/platform/chain/port.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { shareNext } from "#offchain/platform/jobs/shareNext.ts";
import { Turns } from "#offchain/platform/turns.ts";
import type { ClearingContract } from "./contract.ts";
import { type CreditLine, challengeWindowMs, linesOf, payeesMax, stateOf, unpackRows } from "./rules.ts";
import type { Clearings, ClearingView, CreditStanding } from "./service.ts";
import {
  addCredits,
  allCredits,
  countPayees,
  creditedTo,
  creditStanding,
  creditsTo,
} from "./store/credits.ts";
import { type ListedRoot, listRoots, nextRoot, rootByNumber } from "./store/roots.ts";

export interface ClearingOptions {
  sql: Sql;
  clock: Clock;
  chainId: number;
  view: ChainView;
  contract: ClearingContract;
  operator: `0x${string}`;
  signCredit: Hub["signCredit"];
}

const usdc = (amount: bigint) => ({ amount: formatAmount(amount, usdcUnit), unit: usdcUnit });
const avt = (amount: bigint) => ({ amount: formatAmount(amount, "AVT"), unit: "AVT" as const });

async function creditsOf(sql: Sql | Tx, runId: bigint): Promise<Map<string, bigint>> {
  const rows = await allCredits(sql, runId);
  return new Map(rows.map(({ payee, cumulative }) => [payee, cumulative]));
}

/** The hub of cleared payments: what it offers to callers, and to payments. */
export function openClearing(options: ClearingOptions): Clearings & Hub {
  const { contract, operator, signCredit } = options;
  const lineIn = finalLines(options.sql);
  // Anybody may ask: the chain is read once for all.
  const facts = shareNext(() => hubFacts(contract, operator), sharedReadMs);
  const asking = new Turns({ what: "credits to be read", atOnce: 8, atOnceOfOne: 2, waitingMax: 256 });
  const factsOf = standingFacts(options);
  return {
    async isBonded() {
      const { bond, wanted } = (await facts()).bond;
      return bond >= wanted;
    },
    async strangers(tx, runId, payees) {
      const credited = await creditsTo(tx, runId, payees);
      const among = new Set(
        payees.map((payee) => payee.toLowerCase()).filter((payee) => !credited.has(payee)),
      );
      const room = among.size === 0 ? 0 : payeesMax - (await countPayees(tx, runId));
      return { among, room };
    },
    async onBooked(tx, runId, added, now) {
      const [before, root] = await Promise.all([addCredits(tx, runId, added, now), nextRoot(tx, runId)]);
      return { before, root };
    },
    signCredit,
    show: (query) => show(options, facts, query),
    standing: (payee) => asking.run(requestedFrom(), () => standingOf(options, { lineIn, factsOf }, payee)),
    credits: creditsOf,
    currentCredits: async (payees) => creditsTo(options.sql, options.view.runNow(), payees),
  };
}

async function hubFacts(contract: ClearingContract, operator: `0x${string}`) {
  const [bond, received, now] = await Promise.all([
    contract.bondOf(operator),
    contract.received(),
    contract.now(),
  ]);
  return { bond, received, now };
}

async function show(
  { sql, view, contract, operator }: ClearingOptions,
  facts: () => ReturnType<typeof hubFacts>,
  { cursor, limit }: { cursor?: bigint | undefined; limit: number },
): Promise<ClearingView> {
  const runId = view.runNow();
  const [{ credited }, roots] = await Promise.all([
    creditStanding(sql, runId),
    listRoots(sql, runId, cursor, limit),
  ]);
  // Read after them: what they say is not yet final is told by a time that is no earlier.
  const { bond, received, now } = await facts();
  return {
    contract: contract.address,
    operator,
    token: contract.token,
    bond: avt(bond.bond),
    bondWanted: avt(bond.wanted),
    credited: usdc(credited),
    received: usdc(received),
    roots: roots.map((root) => rootView(root, now)),
    next: roots.length === limit ? String(roots.at(-1)?.number) : null,
  };
}

const rootView = (root: ListedRoot, chainNow: number): ClearingView["roots"][number] => ({
  number: root.number,
  state: stateOf(root, chainNow),
  root: root.root,
  total: usdc(root.total),
  payees: root.payees,
  cutAt: root.cutAt,
  postedAt: root.postedAt,
  finalAt: root.postedAt === null ? null : root.postedAt + challengeWindowMs,
  openChallenges: root.openChallenges,
  transactionHash: root.transactionHash,
  payoutHash: root.payoutHash,
});

type LineIn = (runId: bigint, number: number, payee: string) => Promise<CreditLine | null>;

/** Looks lines up in the root that can be claimed, whose rows never change: they are read, and their tree made, once. */
function finalLines(sql: Sql): LineIn {
  let known: { key: string; lines: Promise<(payee: string) => CreditLine | null> } | null = null;
  const read = async (runId: bigint, number: number) => {
    const root = await rootByNumber(sql, runId, number);
    return linesOf(root?.rows ? unpackRows(root.rows) : []);
  };
  return async (runId, number, payee) => {
    const key = `${runId}:${number}`;
    if (known?.key !== key) {
      const lines = read(runId, number);
      known = { key, lines };
      lines.catch(() => {
        if (known?.lines === lines) known = null;
      });
    }
    return (await known.lines)(payee);
  };
}

/** What the chain says of payees, asked once while its head stands. */
function standingFacts({ view, clock, contract }: ClearingOptions) {
  const paid = new AtHead<bigint>(view, clock);
  const finalEpochs = new AtHead<number>(view, clock);
  return (payee: `0x${string}`) =>
    Promise.all([
      paid.get(payee, () => contract.paidTo(payee)),
      finalEpochs.get("", () => contract.finalEpoch()),
    ]);
}

async function standingOf(
  { sql, view, contract, signCredit }: ClearingOptions,
  { lineIn, factsOf }: { lineIn: LineIn; factsOf: ReturnType<typeof standingFacts> },
  payee: `0x${string}`,
): Promise<CreditStanding> {
  const runId = view.runNow();
  // The number after the credit: a root that is cut in between holds at least this much, and the next one too. The other
  // way round the operator would sign for more than a root has, and lose its bond.
  const credited = await creditedTo(sql, runId, payee);
  const [number, [paid, finalEpoch]] = await Promise.all([nextRoot(sql, runId), factsOf(payee)]);
  const line = finalEpoch === 0 ? null : await lineIn(runId, finalEpoch, payee);
  const { token } = contract;
  return {
    payee: getAddress(payee),
    credited: usdc(credited),
    paid: usdc(paid),
    owed: usdc(credited > paid ? credited - paid : 0n),
    receipt:
      credited === 0n
        ? null
        : {
            token,
            payee,
            cumulative: credited.toString(),
            epoch: number,
            signature: await signCredit({ payee, cumulative: credited, root: number }),
          },
    claim: line && {
      token,
      epoch: finalEpoch,
      payee,
      cumulative: line.cumulative.toString(),
      proof: line.proof,
    },
  };
}
