import { parseEther } from "viem";

const day = 86_400;

/** How governance starts: a day to look, three to vote, one more after a late quorum, two before anything happens. */
export const governance = {
  votingDelaySeconds: day,
  votingPeriodSeconds: 3 * day,
  lateQuorumSeconds: day,
  proposalThreshold: parseEther("1000"),
  quorumPercent: 4n,
};
export const timelockDelaySeconds = 2n * BigInt(day);

/** AgentGovernor's POSTPONEMENT: how much later the guardian can have a decision carried out. */
const postponementSeconds = 3n * BigInt(day);

/** AgentGovernor's GRACE: how long a decision can be queued, and for how long at least then executed. */
const graceSeconds = BigInt(day);

/** Stake never unbonds faster than a vote takes, at the most, from its proposal until it is carried out or has
 *  expired. */
export const minUnbondingSeconds =
  BigInt(governance.votingDelaySeconds + governance.votingPeriodSeconds + governance.lateQuorumSeconds) +
  timelockDelaySeconds +
  postponementSeconds +
  2n * graceSeconds;
