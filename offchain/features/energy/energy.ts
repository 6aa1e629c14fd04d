import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { regionFactor } from "#offchain/features/carbon/rules/region.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { requireChargeable } from "./rules/pool.ts";
import type { Completion, Energy, TicketOutcome, TicketRequest } from "./service.ts";
import { chargeOperations, issueOperations, societyAccount } from "./rules/postings.ts";
import { allocateMany } from "./store/allocation.ts";
import { balancesOf } from "./store/balances.ts";
import { completeMany, type FactorOf } from "./store/completion.ts";
import { findCharged, insertLot, openLotsOf } from "./store/lots.ts";
import { post } from "./store/post.ts";
import { findSocieties, lockSociety, openSociety, recordIssue } from "./store/society.ts";
import { fileProof, sourcesOf } from "./store/sources.ts";
import { failTicket, spoilPass } from "./store/spoilage.ts";
import { standings } from "./store/standing.ts";
import { ticketsById } from "./store/tickets.ts";

/**
 * Energy pools on PostgreSQL. How each verb moves on the ledger stands in `energy/accounts.ts`. Each call is one
 * transaction: it locks the society, decides by the rules of the domain, posts to the ledger, and writes the lots.
 * `factorOf` says how dirty a region's grid is now; the static tables unless a live source is given.
 */
export function openEnergy(sql: Sql, clock: Clock, factorOf: FactorOf = regionFactor): Energy {
  const write = <Result>(work: (tx: Tx, now: number) => Promise<Result>): Promise<Result> =>
    sql.begin((tx) => work(tx, clock.now())) as Promise<Result>;
  const read = <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> =>
    sql.begin("isolation level repeatable read read only", work) as Promise<Result>;

  return {
    issue: (issue) =>
      write(async (tx, now) => {
        const society = await openSociety(tx, issue, now);
        const isNew = await recordIssue(tx, issue, now);
        if (isNew) await post(tx, issueOperations(society.id, issue.key, issue.amount), now);
        return { society, amount: issue.amount, replayed: !isNew };
      }),

    society: (id) => read(async (tx) => (await findSocieties(tx, { society: id, limit: 1 }))[0] ?? null),

    register: (societyId, proof) =>
      write(async (tx, now) => {
        const society = await lockSociety(tx, societyId);
        return await fileProof(tx, society.id, proof, now);
      }),

    charge: (charge) =>
      write(async (tx, now) => {
        const { id: society } = await lockSociety(tx, charge.society);
        const before = await findCharged(tx, charge);
        if (before) return { lot: before, replayed: true };
        const balances = await balancesOf(tx, [societyAccount(society)]);
        const pool = {
          society,
          adp: balances(societyAccount(society), "ADP").balance,
          sources: await sourcesOf(tx, [society]),
          lots: (await openLotsOf(tx, [society])).get(society) ?? [],
        };
        requireChargeable(pool, charge, now);
        const lot = await insertLot(tx, charge, now);
        await post(tx, chargeOperations(lot), now);
        return { lot, replayed: false };
      }),

    allocateMany: (requests) =>
      eachAlone(requests, (some: readonly TicketRequest[]) =>
        write((tx, now) => allocateMany(tx, some, now)),
      ),

    completeMany: (completions) =>
      eachAlone(completions, (some: readonly Completion[]) =>
        write((tx, now) => completeMany(tx, some, factorOf, now)),
      ),

    fail: (id, reason) => write((tx, now) => failTicket(tx, id, reason, now)),

    tickets: (ids) =>
      read(async (tx) => {
        const found = await ticketsById(tx, ids);
        return ids.flatMap((id) => found.get(id) ?? []);
      }),

    pools: (query) => read((tx) => standings(tx, query, clock.now())),

    expire: (limit) => write((tx, now) => spoilPass(tx, limit, now)),
  };
}

/**
 * One transaction for the whole batch. Should the ledger refuse one item for a reason that the pool cannot foresee (a
 * suspended account), nothing of the batch was written, and each item is tried on its own.
 */
async function eachAlone<Item>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<TicketOutcome[]>,
): Promise<TicketOutcome[]> {
  if (items.length === 0) return [];
  try {
    return await run(items);
  } catch (error) {
    if (!(error instanceof BursarError)) throw error;
    if (items.length === 1) return [{ ok: false, error }];
  }
  const outcomes: TicketOutcome[] = [];
  for (const item of items) outcomes.push(...(await eachAlone([item], run)));
  return outcomes;
}
