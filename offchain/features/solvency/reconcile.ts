import type { Clock } from "#offchain/core/clock.ts";
import { formatAmount, type UnitCode } from "#offchain/core/unit.ts";
import type { LedgerFigures } from "#offchain/features/ledger/service.ts";
import { usdcUnit } from "#offchain/features/payments/rules/tokens.ts";
import type { ChannelsWithin } from "#offchain/features/payments/service.ts";
import type { ChainReader } from "#offchain/platform/chain/client/client.ts";
import type { ChainView } from "#offchain/platform/chain/port.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import { readChannels, readHeld, readInChannels, type SettlementAddresses } from "./contract.ts";
import { type BookedChannel, differencesOf } from "./rules/reconciliation.ts";
import type { Reconciliation } from "./service.ts";
import { indexedTo } from "./store.ts";

export interface ReconcileOptions {
  sql: Sql;
  client: ChainReader;
  view: ChainView;
  clock: Clock;
  ledger: LedgerFigures;
  payments: ChannelsWithin;
  addresses: SettlementAddresses;
}

/** Reads the books in one snapshot, and the chain at the block that the snapshot stands at. */
export async function reconcile(options: ReconcileOptions): Promise<Reconciliation> {
  const { client, view, clock, addresses } = options;
  await view.waitForBlock(await client.getBlockNumber());
  const checkedAt = clock.now();
  const { sums, channels, tokens, blockNumber, bookedIn } = await readBooks(options, view.runNow());
  const onChain = await readChannels(
    client,
    addresses.batchSettlement,
    channels.map(({ channelId }) => channelId),
    blockNumber,
  );
  const differences = channels.flatMap((channel, at) => differencesOf(channel, onChain[at] ?? [0n, 0n]));
  const others = tokens.filter(({ unit }) => unit !== usdcUnit);
  const [held, inChannels] = await Promise.all([
    readHeld(client, addresses, blockNumber),
    readInChannels(client, addresses.batchSettlement, others, blockNumber),
  ]);
  const booked = bookedIn(usdcUnit);
  const isCovered = others.every(({ unit }, at) => bookedIn(unit) <= (inChannels[at] ?? 0n));
  return {
    ledgerBalanced: sums.every(({ sum }) => sum === 0n),
    chainMatchesLedger: differences.length === 0 && held >= booked && isCovered,
    surplus: money(held > booked ? held - booked : 0n, usdcUnit),
    sums: sums.map(({ unit: of, sum }) => ({ unit: of, sum: sum.toString() })),
    held: { chain: money(held, usdcUnit), ledger: money(booked, usdcUnit) },
    others: others.map(({ unit }, at) => ({
      chain: money(inChannels[at] ?? 0n, unit),
      ledger: money(bookedIn(unit), unit),
    })),
    differences: differences.map(({ chain, ledger: inBooks, ...where }) => ({
      ...where,
      chain: chain.toString(),
      ledger: inBooks.toString(),
    })),
    channels: channels.length,
    atBlock: blockNumber.toString(),
    checkedAt,
  };
}

const money = (amount: bigint, unit: UnitCode) => ({ amount: formatAmount(amount, unit), unit });

/** Channels, accounts and the block that both stand at: one snapshot, or a block indexed meanwhile would part them. */
function readBooks({ sql, ledger, payments }: ReconcileOptions, runId: bigint) {
  return sql.begin("ISOLATION LEVEL REPEATABLE READ READ ONLY", async (tx) => {
    const { tokens, outside, channels } = await payments.channelsWithin(tx, runId);
    const balanceOf = await ledger.balancesWithin(tx, [outside, ...channels.map(({ account }) => account)]);
    return {
      sums: await ledger.sumsWithin(tx),
      tokens,
      blockNumber: await indexedTo(tx, runId),
      /** What the ledger says that the settlement contract holds, Clearing's part included; base units. */
      bookedIn: (unit: UnitCode) => -balanceOf(outside, unit).balance,
      channels: channels.map(
        ({ account, unit, ...channel }): BookedChannel => ({
          ...channel,
          account: balanceOf(account, unit).balance,
        }),
      ),
    };
  });
}
