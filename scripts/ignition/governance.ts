import { parseEther } from "viem";

const day = 86_400;

/** How governance starts: a day to look, three to vote, two before anything happens. */
export const governance = {
  votingDelaySeconds: day,
  votingPeriodSeconds: 3 * day,
  proposalThreshold: parseEther("1000"),
  quorumPercent: 4n,
};
export const timelockDelaySeconds = 2n * BigInt(day);

/** Stake never unbonds faster than a vote takes from its proposal until it is carried out. */
export const minUnbondingSeconds =
  BigInt(governance.votingDelaySeconds + governance.votingPeriodSeconds) + timelockDelaySeconds;
