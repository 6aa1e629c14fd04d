import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { CommitPipeline } from "./commitPipeline.ts";
import { Fees } from "./fees.ts";
import { groupOperationsMax, schedulesMaxDefault, waitingOperationsMax } from "./rules/limits.ts";
import type { Ledger } from "./service.ts";
import { openAccounts, readBalanceAt, readStandings, saveLimits, saveSuspension } from "./store/accounts.ts";
import { readHeads, readHeadsAt } from "./store/heads.ts";
import { readPending } from "./store/holds.ts";
import { addSchedule, endSchedule, readSchedules } from "./store/schedules.ts";
import { readAccounts, readEntries, readTransfer, readTrialBalance } from "./store/statements.ts";
import { balancesWithin, fundedWithin, holdsWithin, owedWithin, sumsWithin } from "./store/within.ts";
import { applyOperations, KeptLedgerBooks } from "./within.ts";

/**
 * The ledger on PostgreSQL, with callers' operations gathered into shared durable transactions.
 * @param schedulesMax active schedules of one owner
 */
export function openLedger(sql: Sql, clock: Clock, schedulesMax = schedulesMaxDefault): Ledger {
  const pipeline = new CommitPipeline(sql, clock, {
    maxGroup: groupOperationsMax,
    maxWaiting: waitingOperationsMax,
  });
  const fees = new Fees(sql, clock);
  return {
    submit: (operations) => pipeline.submit(operations),
    applyWithin: applyOperations,
    keepBooks: () => new KeptLedgerBooks(),
    balancesWithin,
    holdsWithin,
    fundedWithin,
    owedWithin,
    sumsWithin,
    account: async (name, unit) =>
      (await readAccounts(sql, [name])).find((account) => account.unit === unit) ?? null,
    accounts: (names) => readAccounts(sql, names),
    transfer: (id) => readTransfer(sql, id),
    entries: (query) => readEntries(sql, query),
    trialBalance: () => readTrialBalance(sql),
    heads: () => readHeads(sql),
    headsAt: (heads) => readHeadsAt(sql, heads),
    open: (accounts) => openAccounts(sql, accounts, clock.now()),
    standings: (name, unit) => readStandings(sql, name, unit, clock.now()),
    balanceAt: (name, unit, at) => readBalanceAt(sql, name, unit, at),
    pending: (query) => readPending(sql, query),
    setLimits: (name, unit, limits) => saveLimits(sql, { name, unit }, limits, clock.now()),
    suspend: (name, isSuspended) => saveSuspension(sql, name, isSuspended, clock.now()),
    fees: () => fees.all(),
    setFees: (terms) => fees.set(terms),
    schedule: (request) => addSchedule(sql, request, clock.now(), schedulesMax),
    schedules: (query) => readSchedules(sql, query),
    cancelSchedule: (owner, id) => endSchedule(sql, owner, id),
  };
}
