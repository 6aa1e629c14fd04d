import { type Address, erc20Abi, parseAbi } from "viem";
import { batchSettlementAbi } from "#contracts";
import type { UnitCode } from "#offchain/domain/unit.ts";
import type { ChainReader } from "./client.ts";

/** A unit with a form on the chain, and which addresses hold it for those who are owed. */
export interface SolvencyToken {
  unit: UnitCode;
  token: Address;
  holders: readonly { name: string; address: Address }[];
}

/** What one token's holders have, and what a hub owes beyond what is on its way to it. Base units. */
export interface Held {
  holders: { name: string; address: Address; amount: bigint }[];
  credits: { owner: string; amount: bigint }[];
}

/** What is read of IClearing. */
const clearingAbi = parseAbi([
  "function epochOf(address token) view returns (uint256)",
  "function receivedOf(address token) view returns (uint256)",
  "function rootOf(address token, uint256 epoch) view returns ((bytes32 root, bytes32 rowsHash, uint128 total, uint40 postedAt, uint32 openChallenges, bool isVoid))",
]);

/** Reads every holder's balance of every token at one block. */
export async function readHoldings(
  client: ChainReader,
  tokens: readonly SolvencyToken[],
  clearing: { address: Address; settlement: Address },
  blockNumber: bigint,
): Promise<Map<UnitCode, Held>> {
  const asked = tokens.flatMap(({ unit, token, holders }) =>
    holders.map((holder) => ({ unit, token, ...holder })),
  );
  const amounts = await client.multicall({
    allowFailure: false,
    blockNumber,
    contracts: asked.map(({ token, address }) => ({
      address: token,
      abi: erc20Abi,
      functionName: "balanceOf" as const,
      args: [address] as const,
    })),
  });
  const held = new Map<UnitCode, Held>(tokens.map(({ unit }) => [unit, { holders: [], credits: [] }]));
  for (const [at, { unit, token, name, address }] of asked.entries()) {
    const amount = amounts[at] ?? 0n;
    held.get(unit)?.holders.push({ name, address, amount });
    if (address !== clearing.address) continue;
    const credit = await clearingCredit(client, clearing, token, amount, blockNumber);
    if (credit > 0n) held.get(unit)?.credits.push({ owner: address.toLowerCase(), amount: credit });
  }
  return held;
}

/**
 * What the Clearing contract owes to payees by its last root that stands, beyond what BatchSettlement still owes to it:
 * that part is an obligation of the channels already, and is not counted twice.
 */
async function clearingCredit(
  client: ChainReader,
  { address, settlement }: { address: Address; settlement: Address },
  token: Address,
  balance: bigint,
  blockNumber: bigint,
): Promise<bigint> {
  const contract = { address, abi: clearingAbi } as const;
  const [epochs, received, [claimed, settled]] = await client.multicall({
    allowFailure: false,
    blockNumber,
    contracts: [
      { ...contract, functionName: "epochOf", args: [token] },
      { ...contract, functionName: "receivedOf", args: [token] },
      { address: settlement, abi: batchSettlementAbi, functionName: "receivers", args: [address, token] },
    ],
  });
  for (let epoch = epochs; epoch > 0n; epoch -= 1n) {
    const root = await client.readContract({
      ...contract,
      functionName: "rootOf",
      args: [token, epoch],
      blockNumber,
    });
    if (root.isVoid) continue;
    const coming = claimed - settled;
    // received = balance + coming + paid
    const owed = root.total - (received - balance - coming);
    return owed > coming ? owed - coming : 0n;
  }
  return 0n;
}
