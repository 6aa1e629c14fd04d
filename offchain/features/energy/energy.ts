import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { regionFactor } from "#offchain/features/carbon/rules/region.ts";
import type { Sql, Tx } from "#offchain/platform/database/database.ts";
import { completedWork } from "./completedWork.ts";
import { chargeLot, fileProof, issueAdp, standings } from "./pools.ts";
import type { FactorOf } from "./rules/completion.ts";
import type { Completion, TicketOutcome, TicketRequest } from "./rules/ticket.ts";
import type { Energy, EnergyNeeds } from "./service.ts";
import { findSocieties } from "./store/society.ts";
import { allocateMany, completeMany, failTicket, spoilPass, ticketsById } from "./work.ts";

/**
 * Energy pools on PostgreSQL. How each verb moves on the ledger stands in `rules/postings.ts`. Each call is one
 * transaction: it locks the society, decides by the rules, posts to the ledger, and writes the lots.
 * `factorOf` says how dirty a region's grid is now; the static tables unless a live source is given.
 */
export function openEnergy(
  sql: Sql,
  clock: Clock,
  needs: EnergyNeeds,
  factorOf: FactorOf = regionFactor,
): Energy {
  const write = <Result>(work: (tx: Tx, now: number) => Promise<Result>): Promise<Result> =>
    sql.begin((tx) => work(tx, clock.now()));
  const read = <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> =>
    sql.begin("isolation level repeatable read read only", work);

  return {
    issue: (issue) => write((tx, now) => issueAdp(needs, tx, issue, now)),

    society: (id) => read(async (tx) => (await findSocieties(tx, { society: id, limit: 1 }))[0] ?? null),

    register: (society, proof) => write((tx, now) => fileProof(tx, society, proof, now)),

    charge: (charge) => write((tx, now) => chargeLot(needs, tx, charge, now)),

    allocateMany: (requests) =>
      eachAlone(requests, (some: readonly TicketRequest[]) =>
        write((tx, now) => allocateMany(needs, tx, some, now)),
      ),

    completeMany: (completions) =>
      eachAlone(completions, (some: readonly Completion[]) =>
        write((tx, now) => completeMany(needs, tx, some, factorOf, now)),
      ),

    fail: (id, reason) => write((tx, now) => failTicket(needs, tx, id, reason, now)),

    tickets: (ids) =>
      read(async (tx) => {
        const found = await ticketsById(needs, tx, ids);
        return ids.flatMap((id) => found.get(id) ?? []);
      }),

    completedWork: (ids, tx = sql) => completedWork(needs.carbon, ids, tx),

    pools: (query) => read((tx) => standings(needs, tx, query, clock.now())),

    expire: (limit) => write((tx, now) => spoilPass(needs, tx, limit, now)),
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
