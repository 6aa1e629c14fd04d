import { getAddress } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount } from "#offchain/core/unit.ts";
import { creditExpiresAt } from "#offchain/features/payments/rules/credit.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { Hub } from "#offchain/features/payments/service.ts";
import { AtHead } from "#offchain/platform/chain/client/atHead.ts";
import { type ChainView, sharedReadMs } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { FairQueue } from "#offchain/platform/fairQueue.ts";
import { shareNext } from "#offchain/platform/jobs/shareNext.ts";
import { requestedFrom } from "#offchain/platform/requestContext.ts";
import type { ClearingContract } from "./contract.ts";
import type { HubOffice } from "./office.ts";
import { challengeWindowMs, stateOf } from "./rules.ts";
import type { Clearings, ClearingView, CreditStanding } from "./service.ts";
import { addCredits, allCredits, creditedTo, creditStanding, creditsTo } from "./store/credits.ts";
import { gasOf, type ListedEpoch, listEpochs, nextEpoch } from "./store/epochs.ts";

export interface ClearingOptions {
  sql: Sql;
  clock: Clock;
  view: ChainView;
  contract: ClearingContract;
  /** This service's. */
  operator: `0x${string}`;
  office: HubOffice;
  signCredit: Hub["signCredit"];
}

const usdc = (amount: bigint) => ({ amount: formatAmount(amount, usdcUnit), unit: usdcUnit });
const avt = (amount: bigint) => ({ amount: formatAmount(amount, "AVT"), unit: "AVT" as const });

type Standing = Awaited<ReturnType<ClearingContract["creditOf"]>>;

/** The hub of cleared payments: what it offers to callers, and to payments. */
export function openClearing(options: ClearingOptions): Clearings & Hub {
  const { contract, office, signCredit } = options;
  // Anybody may ask: the chain is read once for all.
  const facts = shareNext(() => hubFacts(options), sharedReadMs);
  const asking = new FairQueue({ what: "credits to be read", atOnce: 8, atOnceOfOne: 2, waitingMax: 256 });
  const standings = new AtHead<Standing>(options.view, options.clock);
  const onChain = (payee: `0x${string}`) => standings.get(payee, () => contract.creditOf(payee));
  return {
    async isBonded() {
      const { bond, inOffice } = await facts();
      return office.isOwn(inOffice.operator) && bond.bond >= bond.wanted;
    },
    office: () => office.own(),
    async onBooked(tx, runId, added, now) {
      const [before, epoch] = await Promise.all([addCredits(tx, runId, added, now), nextEpoch(tx, runId)]);
      return { before, epoch };
    },
    signCredit,
    show: (query) => show(options, facts, query),
    standing: (payee) => asking.run(requestedFrom(), () => standingOf(options, onChain, payee)),
    credits: allCredits,
    currentCredits: async (payees) => creditsTo(options.sql, options.view.runNow(), payees),
    gasUsed: async () => gasOf(options.sql, options.view.runNow()),
  };
}

async function hubFacts({ contract, operator }: ClearingOptions) {
  const [bond, inOffice, terms, received, now] = await Promise.all([
    contract.bondOf(operator),
    contract.operator(),
    contract.terms(),
    contract.received(),
    contract.now(),
  ]);
  return { bond, inOffice, terms, received, now };
}

async function show(
  { sql, view, contract }: ClearingOptions,
  facts: () => ReturnType<typeof hubFacts>,
  { cursor, limit }: { cursor?: bigint | undefined; limit: number },
): Promise<ClearingView> {
  const runId = view.runNow();
  const [{ credited }, epochs] = await Promise.all([
    creditStanding(sql, runId),
    listEpochs(sql, runId, cursor, limit),
  ]);
  // Read after them: what they say is not yet settled is told by a time that is no earlier.
  const { bond, inOffice, terms, received, now } = await facts();
  return {
    contract: contract.address,
    operator: inOffice.operator,
    office: inOffice.office,
    token: contract.token,
    bond: avt(bond.bond),
    bondWanted: avt(bond.wanted),
    leastCredit: usdc(terms.leastCredit),
    exitCap: usdc(terms.exitCap),
    credited: usdc(credited),
    received: usdc(received),
    epochs: epochs.map((epoch) => epochView(epoch, now)),
    next: epochs.length === limit ? String(epochs.at(-1)?.number) : null,
  };
}

const epochView = (epoch: ListedEpoch, chainNow: number): ClearingView["epochs"][number] => ({
  number: epoch.number,
  state: stateOf(epoch, chainNow),
  total: usdc(epoch.total),
  payees: epoch.payees,
  cutAt: epoch.cutAt,
  sealedAt: epoch.sealedAt,
  settledAt: epoch.sealedAt === null || epoch.isVoid ? null : epoch.sealedAt + challengeWindowMs,
  transactionHash: epoch.transactionHash,
  payoutHash: epoch.payoutHash,
});

async function standingOf(
  options: ClearingOptions,
  onChain: (payee: `0x${string}`) => Promise<Standing>,
  payee: `0x${string}`,
): Promise<CreditStanding> {
  const { sql, view } = options;
  const runId = view.runNow();
  // The number after the credit: an epoch that is cut in between holds at least this much, and the next one too. The other
  // way round the operator would sign for more than an epoch has, and lose its bond.
  const credited = await creditedTo(sql, runId, payee);
  const [epoch, { settled, pending, paid }] = await Promise.all([nextEpoch(sql, runId), onChain(payee)]);
  return {
    payee: getAddress(payee),
    credited: usdc(credited),
    settled: usdc(settled),
    pending: usdc(pending),
    paid: usdc(paid),
    owed: usdc(credited > paid ? credited - paid : 0n),
    receipt: await newestWord(options, { payee, cumulative: credited, epoch }),
  };
}

/** The operator's word for all that a payee was credited; null where it has none to give. */
async function newestWord(
  { clock, contract, office, signCredit }: ClearingOptions,
  said: { payee: `0x${string}`; cumulative: bigint; epoch: number },
): Promise<CreditStanding["receipt"]> {
  const number = said.cumulative === 0n ? null : await office.own();
  if (number === null) return null;
  const credit = { ...said, office: number, expiresAt: creditExpiresAt(clock.now()) };
  return {
    ...credit,
    token: contract.token,
    cumulative: credit.cumulative.toString(),
    signature: await signCredit(credit),
  };
}
