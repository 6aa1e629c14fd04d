import type { Tx } from "#offchain/platform/database/database.ts";
import { post } from "./posting.ts";
import {
  type CapacityProof,
  effectiveMicrowattsDown,
  lapsesAt,
  proofNotNewer,
  requireValidProof,
  sourceIdOf,
  sourceTaken,
} from "./rules/capacity.ts";
import {
  type Charge,
  isSameCharge,
  type LotRecord,
  requireChargeable,
  requireRoomFor,
  wasteAlertsShown,
} from "./rules/pool.ts";
import { chargeOperations, issueOperations, societyAccount } from "./rules/postings.ts";
import {
  type AdpIssue,
  keyReused,
  requireSameIssue,
  requireSameOwner,
  type Society,
  unknownSociety,
} from "./rules/society.ts";
import { accountsOf, figuresOf } from "./rules/standing.ts";
import type { EnergyNeeds, PoolStanding, RegisteredSource } from "./service.ts";
import { findCharged, insertLot, openLotsOf, wastedLotsOf } from "./store/lots.ts";
import { findIssue, findSocieties, insertIssue, insertSociety, lockSocieties } from "./store/society.ts";
import { insertProof, newestProof, registerSource, sourcesOf } from "./store/sources.ts";

/** @throws BursarError SOCIETY_UNKNOWN. */
async function lockSociety(tx: Tx, id: string): Promise<Society> {
  const society = (await lockSocieties(tx, [id])).get(id);
  if (!society) throw unknownSociety(id);
  return society;
}

/** Gives a society ADP, opening it if it is new. @throws BursarError FORBIDDEN, IDEMPOTENCY_CONFLICT. */
export async function issueAdp(
  { ledger }: EnergyNeeds,
  tx: Tx,
  issue: AdpIssue,
  now: number,
): Promise<{ society: Society; amount: bigint; replayed: boolean }> {
  await insertSociety(tx, issue, now);
  const society = await lockSociety(tx, issue.society);
  requireSameOwner(society, issue);
  const isNew = await insertIssue(tx, issue, now);
  if (isNew) await post(ledger, tx, issueOperations(society.id, issue.key, issue.amount), now);
  else requireSameIssue(await findIssue(tx, issue), issue);
  return { society, amount: issue.amount, replayed: !isNew };
}

/**
 * Files a proof. The same proof again changes nothing.
 * @throws BursarError SOURCE_TAKEN by another society; CAPACITY_PROOF_INVALID, also when one as new is on file;
 * CAPACITY_EXCEEDED when the society has as many sources as one may have.
 */
export async function fileProof(
  tx: Tx,
  societyId: string,
  proof: CapacityProof,
  now: number,
): Promise<{ source: RegisteredSource; replayed: boolean }> {
  const { id: society } = await lockSociety(tx, societyId);
  const source: RegisteredSource = {
    id: sourceIdOf(proof),
    society,
    kind: proof.kind,
    effectiveMicrowatts: effectiveMicrowattsDown(proof),
    provenAt: proof.provenAt,
    lapsesAt: lapsesAt(proof),
  };
  const written = JSON.stringify(proof, (_, value) => (typeof value === "bigint" ? value.toString() : value));
  const newest = await newestProof(tx, source.id, society, written);
  if (newest?.isSame) return { source, replayed: true };
  requireValidProof(proof, now);
  if (newest === null) requireRoomFor("sources", society, (await sourcesOf(tx, [society])).length);
  if ((await registerSource(tx, source, now)) !== society) throw sourceTaken(source.id, society);
  if (newest && newest.provenAt >= proof.provenAt)
    throw proofNotNewer(source.id, proof.provenAt, newest.provenAt);
  await insertProof(tx, source, written, now);
  return { source, replayed: false };
}

/** Turns ADP into a lot of ATP. @throws BursarError SOCIETY_UNKNOWN, IDEMPOTENCY_CONFLICT, those of `requireChargeable`. */
export async function chargeLot(
  { ledger }: EnergyNeeds,
  tx: Tx,
  charge: Charge,
  now: number,
): Promise<{ lot: LotRecord; replayed: boolean }> {
  const { id: society } = await lockSociety(tx, charge.society);
  const before = await findCharged(tx, charge);
  if (before && !isSameCharge(before, charge)) throw keyReused(charge.society, charge.key);
  if (before) return { lot: before, replayed: true };
  const account = societyAccount(society);
  const balanceOf = await ledger.balancesWithin(tx, [account]);
  const pool = {
    society,
    adp: balanceOf(account, "ADP").balance,
    sources: await sourcesOf(tx, [society]),
    lots: (await openLotsOf(tx, [society])).get(society) ?? [],
  };
  requireChargeable(pool, charge, now);
  const lot = await insertLot(tx, charge, now);
  await post(ledger, tx, chargeOperations(lot), now);
  return { lot, replayed: false };
}

/** The standing of each society at `now`, from balances and lots of one snapshot. */
export async function standings(
  { ledger }: EnergyNeeds,
  tx: Tx,
  query: { society?: string; after?: string; limit: number },
  now: number,
): Promise<PoolStanding[]> {
  const societies = await findSocieties(tx, query);
  const ids = societies.map(({ id }) => id);
  const sources = Map.groupBy(await sourcesOf(tx, ids), ({ society }) => society);
  const lots = await openLotsOf(tx, ids);
  const balanceOf = await ledger.balancesWithin(tx, ids.flatMap(accountsOf));
  const wasted = await wastedLotsOf(tx, ids, wasteAlertsShown);
  return societies.map((society) => {
    const of = { sources: sources.get(society.id) ?? [], lots: lots.get(society.id) ?? [] };
    return {
      society,
      ...figuresOf(society.id, balanceOf, of.sources, of.lots, now),
      ...of,
      wasteAlerts: wasted.get(society.id) ?? [],
    };
  });
}
