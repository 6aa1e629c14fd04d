import { type Address, erc20Abi, getAddress } from "viem";
import { batchSettlementAbi, clearingAbi } from "#contracts";
import type { UnitCode } from "#offchain/core/unit.ts";
import type { ChannelToken } from "#offchain/features/payments/rules/tokens.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { Contracts } from "#offchain/platform/chain/contracts/contracts.ts";
import { type HubStanding, paidOn } from "./rules/hub.ts";
import { heldForPayees } from "./rules/reconciliation.ts";

/** A unit with a form on the chain, and which addresses hold it for those who are owed. */
export interface SolvencyToken {
  unit: UnitCode;
  token: Address;
  holders: readonly { name: string; address: Address }[];
}

/** Units with a form on the chain, and who holds it for those whom the ledger owes; nobody counts twice. */
export function solvencyTokens(
  contracts: Contracts,
  addresses: readonly string[],
  channelTokens: readonly ChannelToken[],
): SolvencyToken[] {
  const ours = [
    { name: "Payment channels", address: contracts.batchSettlement },
    { name: "Clearing", address: contracts.clearing },
  ];
  const reserves = [...new Set(addresses.map((address) => getAddress(address)))]
    .filter((address) => ours.every((holder) => holder.address !== address))
    .map((address) => ({ name: "Reserve", address }));
  const lines = new Map<UnitCode, SolvencyToken>([
    ["USDC", { unit: "USDC", token: contracts.usdc, holders: [...ours, ...reserves] }],
    ["AVT", { unit: "AVT", token: contracts.agentToken, holders: reserves }],
    ["SCRIP", { unit: "SCRIP", token: contracts.scrip, holders: reserves }],
  ]);
  const channels = ours.slice(0, 1);
  for (const { unit, address } of channelTokens)
    if (unit !== "USDC") lines.set(unit, { unit, token: address, holders: [...channels, ...reserves] });
  return [...lines.values()];
}

/** What one token's holders have. Base units. */
export interface Held {
  holders: { name: string; address: Address; amount: bigint }[];
  hub: HubStanding | null;
}

/** Payees or channels asked for in one request. */
const callsMax = 500;
/** Bytes of calldata in one request: those of so many calls fit, where viem's own 1,024 would make thirty requests of them. */
const batchSize = 2 ** 17;

/** Reads every holder's balance of every token at one block, and what the hub has paid `payees`. */
export async function readHoldings(
  client: ChainReader,
  tokens: readonly SolvencyToken[],
  clearing: { address: Address; settlement: Address },
  payees: readonly string[],
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
  const held = new Map<UnitCode, Held>(tokens.map(({ unit }) => [unit, { holders: [], hub: null }]));
  for (const [at, { unit, token, name, address }] of asked.entries()) {
    const amount = amounts[at] ?? 0n;
    const line = held.get(unit);
    line?.holders.push({ name, address, amount });
    if (line && address === clearing.address)
      line.hub = {
        promised: await hubPromises(client, clearing, token, amount, blockNumber),
        paid: await hubPaid(client, clearing.address, token, payees, blockNumber),
      };
  }
  return held;
}

async function hubPaid(
  client: ChainReader,
  address: Address,
  token: Address,
  payees: readonly string[],
  blockNumber: bigint,
): Promise<Map<string, bigint>> {
  const credits = await inRequests(payees, (part) =>
    client.multicall({
      allowFailure: false,
      batchSize,
      blockNumber,
      contracts: part.map((payee) => ({
        address,
        abi: clearingAbi,
        functionName: "creditOf" as const,
        args: [token, payee as Address] as const,
      })),
    }),
  );
  return new Map(payees.map((payee, at) => [payee, credits[at]?.paid ?? 0n]));
}

/** Asks about so many at a time, one request after the other: a provider counts them. */
async function inRequests<Item, Answer>(
  items: readonly Item[],
  ask: (part: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let from = 0; from < items.length; from += callsMax)
    answers.push(...(await ask(items.slice(from, from + callsMax))));
  return answers;
}

async function hubPromises(
  client: ChainReader,
  { address, settlement }: { address: Address; settlement: Address },
  token: Address,
  balance: bigint,
  blockNumber: bigint,
): Promise<bigint> {
  const contract = { address, abi: clearingAbi } as const;
  const [[settledCredits, pending], received, [claimed, settled]] = await client.multicall({
    allowFailure: false,
    blockNumber,
    contracts: [
      { ...contract, functionName: "creditedOf", args: [token] },
      { ...contract, functionName: "receivedOf", args: [token] },
      { address: settlement, abi: batchSettlementAbi, functionName: "receivers", args: [address, token] },
    ],
  });
  return settledCredits + pending - paidOn({ received, balance, onItsWay: claimed - settled });
}

export interface SettlementAddresses {
  batchSettlement: Address;
  clearing: Address;
  usdc: Address;
}

/** [balance, claimed] of each channel at one block. */
export const readChannels = (
  client: ChainReader,
  settlement: Address,
  channelIds: readonly `0x${string}`[],
  blockNumber: bigint,
): Promise<(readonly [bigint, bigint])[]> =>
  inRequests(channelIds, (part) =>
    client.multicall({
      allowFailure: false,
      batchSize,
      blockNumber,
      contracts: part.map((channelId) => ({
        address: settlement,
        abi: batchSettlementAbi,
        functionName: "channels" as const,
        args: [channelId] as const,
      })),
    }),
  );

/** What the settlement contract has of tokens at one block; of each also what foreign channels in it hold. */
export async function readInChannels(
  client: ChainReader,
  settlement: Address,
  tokens: readonly ChannelToken[],
  blockNumber: bigint,
): Promise<bigint[]> {
  if (tokens.length === 0) return [];
  const balances = await client.multicall({
    allowFailure: false,
    blockNumber,
    contracts: tokens.map(({ address }) => ({
      address,
      abi: erc20Abi,
      functionName: "balanceOf" as const,
      args: [settlement] as const,
    })),
  });
  return [...balances];
}

/** USDC of channels at one block: what the settlement contract has, and what Clearing was paid out of it and keeps. */
export async function readHeld(
  client: ChainReader,
  { batchSettlement, clearing, usdc }: SettlementAddresses,
  blockNumber: bigint,
): Promise<bigint> {
  const token = { address: usdc, abi: erc20Abi } as const;
  const [inChannels, received, balance, [claimed, settled]] = await client.multicall({
    allowFailure: false,
    blockNumber,
    contracts: [
      { ...token, functionName: "balanceOf", args: [batchSettlement] },
      { address: clearing, abi: clearingAbi, functionName: "receivedOf", args: [usdc] },
      { ...token, functionName: "balanceOf", args: [clearing] },
      {
        address: batchSettlement,
        abi: batchSettlementAbi,
        functionName: "receivers",
        args: [clearing, usdc],
      },
    ],
  });
  return inChannels + heldForPayees({ received, balance, claimed, settled });
}
