import { parseEther, stringToHex } from "viem";
import { minUnbondingSeconds } from "./governance.ts";

/** A policy as ParameterRegistry declares it: the value that it starts with, and the bounds that no vote can leave. */
export interface Parameter {
  readonly name: string;
  readonly floor: bigint;
  readonly ceiling: bigint;
  readonly value: bigint;
}

const day = 86_400n;

/** The policies that the contracts read, and those of the service. Names end with their unit. */
export const parameters: readonly Parameter[] = [
  // Seed 002: 5 % each cycle to stakers, a tenth of it to their validator.
  { name: "rewardRateBps", floor: 0n, ceiling: 2_000n, value: 500n },
  { name: "rewardCycleSeconds", floor: day, ceiling: 366n * day, value: 30n * day },
  { name: "validatorShareBps", floor: 0n, ceiling: 5_000n, value: 1_000n },
  { name: "unbondingSeconds", floor: minUnbondingSeconds, ceiling: 60n * day, value: minUnbondingSeconds },
  { name: "maxSlashBps", floor: 0n, ceiling: 9_000n, value: 5_000n },
  { name: "slashRewardBps", floor: 0n, ceiling: 2_000n, value: 1_000n },
  // Seed 002: transfers of AVT in the service's ledger; 0 is no maximum.
  { name: "transferFeeBps", floor: 0n, ceiling: 1_000n, value: 10n },
  { name: "minTransferAvt", floor: 0n, ceiling: parseEther("1000"), value: parseEther("0.01") },
  { name: "maxTransferAvt", floor: 0n, ceiling: parseEther("1000000000"), value: 0n },
  { name: "attestationRewardAvt", floor: 0n, ceiling: parseEther("10000"), value: parseEther("1") },
  { name: "auditorHighAvt", floor: 0n, ceiling: parseEther("1000000000"), value: parseEther("10000") },
  { name: "auditorCriticalAvt", floor: 0n, ceiling: parseEther("1000000000"), value: parseEther("100000") },
  { name: "subscriptionFeeBps", floor: 0n, ceiling: 1_000n, value: 50n },
  {
    name: "clearingMinBond",
    floor: parseEther("1000"),
    ceiling: parseEther("100000000"),
    value: parseEther("10000"),
  },
  { name: "clearingSlash", floor: 0n, ceiling: parseEther("100000000"), value: parseEther("5000") },
  // What holds the pool of panelists still costs something, and so does a seat.
  {
    name: "disputeFeeWei",
    floor: parseEther("0.0001"),
    ceiling: parseEther("10"),
    value: parseEther("0.01"),
  },
  {
    name: "disputeMinBond",
    floor: parseEther("1"),
    ceiling: parseEther("100000000"),
    value: parseEther("1000"),
  },
  { name: "disputeSlash", floor: 0n, ceiling: parseEther("100000000"), value: parseEther("50") },
  { name: "auctionReserve", floor: 0n, ceiling: 1_000_000n, value: 1n },
  // What all members share in each round, minted.
  { name: "auctionIncome", floor: 0n, ceiling: 1_000_000n, value: 10n },
  // Of the deposit of a bid that is not revealed: as dear as to win with it.
  { name: "auctionPenaltyBps", floor: 5_000n, ceiling: 10_000n, value: 10_000n },
  { name: "auctionMaxMint", floor: 0n, ceiling: 1_000_000n, value: 100n },
];

/** As the contract's constructor takes them. */
export const declarations = parameters.map(({ name, ...rest }) => ({
  name: stringToHex(name, { size: 32 }),
  ...rest,
}));
