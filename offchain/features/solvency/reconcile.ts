import { type Address, erc20Abi } from "viem";
import { batchSettlementAbi, clearingAbi } from "#contracts";
import { formatAmount } from "#offchain/core/unit.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import { chainAccount, channelUnit } from "#offchain/features/payments/rules/accounts.ts";
import type { ChainReader } from "#offchain/platform/chain/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import { hexOf } from "#offchain/platform/database/bytes.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Reconciliation } from "./actions/reconcile.ts";

export interface ReconcileOptions {
  sql: Sql;
  client: ChainReader;
  view: ChainView;
  ledger: Ledger;
  addresses: { batchSettlement: Address; clearing: Address; usdc: Address };
}

interface ChannelFigures {
  channel_id: Uint8Array;
  balance: bigint;
  claimed: bigint;
  /** The ledger's account of the channel. */
  account: bigint;
}

/** Channels asked for in one multicall. */
const chunk = 500;

/** Reads the books in one snapshot, and the chain at the block that the snapshot stands at. */
export async function reconcile({
  sql,
  client,
  view,
  ledger,
  addresses,
}: ReconcileOptions): Promise<Reconciliation> {
  await view.waitForBlock(await client.getBlockNumber());
  const { epoch } = view.status();
  const { rows, indexedTo, booked } = await readBooks(sql, epoch);
  const differences: Reconciliation["differences"] = [];
  for (let from = 0; from < rows.length; from += chunk) {
    const part = rows.slice(from, from + chunk);
    const onChain = await client.multicall({
      allowFailure: false,
      blockNumber: indexedTo,
      contracts: part.map(({ channel_id }) => ({
        address: addresses.batchSettlement,
        abi: batchSettlementAbi,
        functionName: "channels" as const,
        args: [hexOf(channel_id)] as const,
      })),
    });
    for (const [at, row] of part.entries()) differences.push(...compare(row, onChain[at] ?? [0n, 0n]));
  }
  const [inChannels, inClearing, trial] = await Promise.all([
    client.readContract({
      address: addresses.usdc,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [addresses.batchSettlement],
      blockNumber: indexedTo,
    }),
    heldByClearing(client, addresses, indexedTo),
    ledger.trialBalance(),
  ]);
  const held = inChannels + inClearing;
  return {
    ledgerBalanced: trial.balanced,
    chainMatchesLedger: differences.length === 0 && held === booked,
    sums: trial.sums.map(({ unit, sum }) => ({ unit, sum: sum.toString() })),
    held: {
      chain: { amount: formatAmount(held, channelUnit), unit: channelUnit },
      ledger: { amount: formatAmount(booked, channelUnit), unit: channelUnit },
    },
    differences,
    channels: rows.length,
    atBlock: indexedTo.toString(),
  };
}

/** What Clearing was paid out of channels and has not paid on. What else anybody sends it is none of the books' business. */
async function heldByClearing(
  client: ChainReader,
  { clearing, batchSettlement, usdc }: ReconcileOptions["addresses"],
  blockNumber: bigint,
): Promise<bigint> {
  const [received, balance, [claimed, settled]] = await client.multicall({
    allowFailure: false,
    blockNumber,
    contracts: [
      { address: clearing, abi: clearingAbi, functionName: "receivedOf", args: [usdc] },
      { address: usdc, abi: erc20Abi, functionName: "balanceOf", args: [clearing] },
      {
        address: batchSettlement,
        abi: batchSettlementAbi,
        functionName: "receivers",
        args: [clearing, usdc],
      },
    ],
  });
  // received = balance + what is on its way + paid
  const paid = received - balance - (claimed - settled);
  return settled > paid ? settled - paid : 0n;
}

async function readBooks(sql: Sql, epoch: bigint) {
  return sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const rows = await tx<ChannelFigures[]>`
      SELECT c.channel_id, c.balance, c.claimed, coalesce(a.balance, 0)::numeric(38,0) AS account
      FROM channel c LEFT JOIN account a ON a.name = 'channel:' || c.id AND a.unit = ${channelUnit}
      WHERE c.epoch_id = ${epoch} ORDER BY c.id`;
    const [books] = await tx<{ indexed_to: bigint; balance: bigint | null }[]>`
      SELECT e.indexed_to, a.balance FROM chain_epoch e
      LEFT JOIN account a ON a.name = ${chainAccount(epoch)} AND a.unit = ${channelUnit} WHERE e.id = ${epoch}`;
    return { rows: [...rows], indexedTo: books?.indexed_to ?? 0n, booked: -(books?.balance ?? 0n) };
  });
}

function compare(
  row: ChannelFigures,
  [balance, claimed]: readonly [bigint, bigint],
): Reconciliation["differences"] {
  const channelId = hexOf(row.channel_id);
  const checks = [
    { field: "balance", chain: balance, ledger: row.balance },
    { field: "claimed", chain: claimed, ledger: row.claimed },
    { field: "ledger", chain: balance - claimed, ledger: row.account },
  ] as const;
  return checks
    .filter(({ chain, ledger }) => chain !== ledger)
    .map(({ field, chain, ledger }) => ({
      channelId,
      field,
      chain: chain.toString(),
      ledger: ledger.toString(),
    }));
}
