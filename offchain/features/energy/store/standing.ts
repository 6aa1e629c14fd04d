import type { Tx } from "#offchain/platform/database/database.ts";
import { availableAt, capacityAt, outstanding } from "../rules/pool.ts";
import type { PoolStanding, RegisteredSource, Society } from "../service.ts";
import { consumedAccount, expiredAccount, issuerAccount, societyAccount } from "../rules/postings.ts";
import { balancesOf } from "./balances.ts";
import { openLotsOf, wastedLotsOf } from "./lots.ts";
import { findSocieties } from "./society.ts";
import { sourcesOf } from "./sources.ts";

const wasteAlertsShown = 20;

/** The standing of each society at `now`, from balances and lots of one snapshot. */
export async function standings(
  tx: Tx,
  query: { society?: string; after?: string; limit: number },
  now: number,
): Promise<PoolStanding[]> {
  const societies = await findSocieties(tx, query);
  const sources = Map.groupBy(
    await sourcesOf(
      tx,
      societies.map(({ id }) => id),
    ),
    ({ society }) => society,
  );
  const found: PoolStanding[] = [];
  for (const society of societies)
    found.push(await standingOf(tx, society, sources.get(society.id) ?? [], now));
  return found;
}

async function standingOf(
  tx: Tx,
  society: Society,
  sources: RegisteredSource[],
  now: number,
): Promise<PoolStanding> {
  const { id } = society;
  const accounts = [issuerAccount(id), societyAccount(id), expiredAccount(id), consumedAccount(id)] as const;
  const balances = await balancesOf(tx, accounts);
  const of = (account: (typeof accounts)[number], unit: "ADP" | "ATP") => balances(account, unit);
  const charged = of(societyAccount(id), "ATP");
  const lots = (await openLotsOf(tx, [id])).get(id) ?? [];
  const atp = availableAt(lots, now);
  // What spoiled but was not swept yet is no longer there to spend.
  const expired = of(expiredAccount(id), "ATP").balance + charged.balance - charged.pending - atp;
  const consumed = of(consumedAccount(id), "ATP").balance;
  const everCharged = charged.balance + of(expiredAccount(id), "ATP").balance + consumed;
  const capacityMicrowatts = capacityAt(sources, now);
  return {
    society,
    issued: -of(issuerAccount(id), "ADP").balance,
    capacityMicrowatts,
    adp: of(societyAccount(id), "ADP").balance,
    atp,
    reserved: charged.pending,
    expired,
    consumed,
    wasteBps: everCharged === 0n ? 0 : Number((expired * 10_000n) / everCharged),
    isOvercommitted: outstanding(lots, now) > capacityMicrowatts,
    sources,
    lots,
    wasteAlerts: await wastedLotsOf(tx, id, wasteAlertsShown),
  };
}
