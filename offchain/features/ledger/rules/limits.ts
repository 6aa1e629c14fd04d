/** The ledger's bounds on its own work. What an operator may set stands in `settings.ts`. */

/** Most operations in one transaction. */
export const groupOperationsMax = 4_000;
/** Most operations that may wait for one; beyond it callers are turned away with OVERLOADED. */
export const waitingOperationsMax = 20_000;
/** Holds voided in one pass. */
export const passMax = 500;
/** Schedules run in one transaction, for which all other writes of the ledger wait. */
export const schedulePassMax = 100;
/** Passes of a job before it lets the next time go on. */
export const passesMax = 10;
/** How long fee terms are believed before the table is read again: what another instance sets counts after that. */
export const feesBelievedMs = 1_000;
/** How much is remembered between groups before what was not used lately is forgotten. Counts. */
export const remembered = { accounts: 200_000, transfers: 100_000, keys: 50_000 };
/** Shortest and longest time between a schedule's runs. */
export const scheduleEveryMinMs = 60_000;
export const scheduleEveryMaxMs = 366 * 24 * 60 * 60_000;
/** How far in the past a schedule may start: for the way of the request, and clocks that differ. */
export const scheduleLateMs = 60_000;
/** Active schedules of one owner where nothing else is set. */
export const schedulesMaxDefault = 100;
/** Most runs of one schedule. */
export const scheduleRunsMax = 100_000;
