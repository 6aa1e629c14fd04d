import { toFunctionSelector } from "viem";

/** The roles of contracts/governance/Roles.sol; 0 is AccessManager's own admin. */
export const roles = {
  admin: 0n,
  minter: 1n,
  scripMinter: 2n,
  slasher: 3n,
  anchorer: 4n,
  bonder: 5n,
  governor: 6n,
} as const;

/** Which role each restricted function needs; what is not here needs the admin. */
export const restricted = [
  { contract: "AgentToken", function: "mint(address,uint256)", role: roles.minter },
  { contract: "Scrip", function: "mint(address,uint256)", role: roles.scripMinter },
  { contract: "Scrip", function: "mintFor(bytes32,address,uint256)", role: roles.scripMinter },
  { contract: "Staking", function: "slash(address,uint256,address,bytes32)", role: roles.slasher },
  { contract: "Staking", function: "lock(address,uint256)", role: roles.bonder },
  { contract: "Staking", function: "lengthenUnbonding(uint256)", role: roles.governor },
  { contract: "ReceiptAnchor", function: "anchor(uint8,uint256,bytes32,uint64)", role: roles.anchorer },
].map((rule) => ({ ...rule, selector: toFunctionSelector(rule.function) }));

/** Which contract has which role by what it does. */
export const granted = [
  { role: roles.scripMinter, contract: "VickreyAuction" },
  { role: roles.slasher, contract: "Clearing" },
  { role: roles.slasher, contract: "Disputes" },
  { role: roles.governor, contract: "AgentGovernor" },
  { role: roles.bonder, contract: "Disputes" },
  { role: roles.bonder, contract: "Clearing" },
] as const;
