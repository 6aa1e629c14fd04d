/** What the operator signs of a solvency root, as EIP-712 types: defined here once, for the service, the SDK and the page. */

/** Enough that two contradictory roots are evidence by themselves. */
export interface SolvencyRoot {
  token: `0x${string}`;
  snapshotId: bigint;
  previous: `0x${string}`;
  root: `0x${string}`;
}

export const solvencyRootTypes = {
  SolvencyRoot: [
    { name: "token", type: "address" },
    { name: "snapshotId", type: "uint256" },
    { name: "previous", type: "bytes32" },
    { name: "root", type: "bytes32" },
  ],
} as const;

/** @param settlement the BatchSettlement contract */
export const solvencyDomain = (chainId: number, settlement: `0x${string}`) =>
  ({ name: "Bursar Solvency", version: "1", chainId, verifyingContract: settlement }) as const;
