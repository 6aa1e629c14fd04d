import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { Lane } from "./books/lane.ts";
import type { Ledger } from "./service.ts";
import { openAccounts, readBalanceAt, readStandings, saveLimits, saveSuspension } from "./store/accounts.ts";
import { Fees } from "./store/fees.ts";
import { readHoldings } from "./store/held.ts";
import { readPending } from "./store/holds.ts";
import { addSchedule, endSchedule, readSchedules } from "./store/schedules.ts";
import { readAccounts, readEntries, readTransfer, readTrialBalance } from "./store/statements.ts";

/** Most operations in one transaction, and most that may wait for one. */
export const ledgerLimits = { maxGroup: 4_000, maxWaiting: 20_000 };

/** The ledger on PostgreSQL, with callers' operations gathered into shared durable transactions. */
export function openLedger(sql: Sql, clock: Clock): Ledger {
  const lane = new Lane(sql, clock, ledgerLimits);
  const fees = new Fees(sql, clock);
  return {
    submit: (operations) => lane.submit(operations),
    account: async (name, unit) =>
      (await readAccounts(sql, [name])).find((account) => account.unit === unit) ?? null,
    accounts: (names) => readAccounts(sql, names),
    holdings: (prefixes) => readHoldings(sql, prefixes),
    transfer: (id) => readTransfer(sql, id),
    entries: (query) => readEntries(sql, query),
    trialBalance: () => readTrialBalance(sql),
    open: (accounts) => openAccounts(sql, accounts, clock.now()),
    standings: (name, unit) => readStandings(sql, name, unit, clock.now()),
    balanceAt: (name, unit, at) => readBalanceAt(sql, name, unit, at),
    pending: (query) => readPending(sql, query),
    setLimits: (name, unit, limits) => saveLimits(sql, { name, unit }, limits, clock.now()),
    suspend: (name, isSuspended) => saveSuspension(sql, name, isSuspended, clock.now()),
    fees: () => fees.all(),
    setFees: (terms) => fees.set(terms),
    schedule: (request) => addSchedule(sql, request, clock.now()),
    schedules: (query) => readSchedules(sql, query),
    cancelSchedule: (owner, id) => endSchedule(sql, owner, id),
  };
}
