import { divideDown } from "#offchain/core/rounding.ts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { AccountName } from "#offchain/features/ledger/rules/transfer.ts";
import { availableAt, capacityAt, type Lot, outstanding, type Source } from "./pool.ts";
import { consumedAccount, expiredAccount, issuerAccount, societyAccount } from "./postings.ts";

/** A society's energy at one moment. ADP + ATP + reserved + expired = issued. */
export interface PoolFigures {
  issued: bigint;
  /** µW that valid proofs vouch for. */
  capacityMicrowatts: bigint;
  adp: bigint;
  /** Charged, free and not spoiled. */
  atp: bigint;
  reserved: bigint;
  expired: bigint;
  /** All ATP that work ever discharged. */
  consumed: bigint;
  /** Share of all ATP ever charged that spoiled, rounded down. */
  wasteBps: number;
  /** Whether more is committed than valid proofs vouch for, because capacity was lost; charging waits meanwhile. */
  isOvercommitted: boolean;
}

/** The accounts whose balances {@link figuresOf} needs. */
export const accountsOf = (society: string): AccountName[] => [
  issuerAccount(society),
  societyAccount(society),
  expiredAccount(society),
  consumedAccount(society),
];

/** The figures of a society, from balances and lots of one moment. */
export function figuresOf(
  society: string,
  balanceOf: (account: AccountName, unit: UnitCode) => { balance: bigint; pending: bigint },
  sources: readonly Source[],
  lots: readonly Lot[],
  now: number,
): PoolFigures {
  const charged = balanceOf(societyAccount(society), "ATP");
  const swept = balanceOf(expiredAccount(society), "ATP").balance;
  const atp = availableAt(lots, now);
  // What spoiled but was not swept yet is no longer there to spend.
  const expired = swept + charged.balance - charged.pending - atp;
  const consumed = balanceOf(consumedAccount(society), "ATP").balance;
  const everCharged = charged.balance + swept + consumed;
  const capacityMicrowatts = capacityAt(sources, now);
  return {
    issued: -balanceOf(issuerAccount(society), "ADP").balance,
    capacityMicrowatts,
    adp: balanceOf(societyAccount(society), "ADP").balance,
    atp,
    reserved: charged.pending,
    expired,
    consumed,
    wasteBps: everCharged === 0n ? 0 : Number(divideDown(expired * 10_000n, everCharged)),
    isOvercommitted: outstanding(lots, now) > capacityMicrowatts,
  };
}
