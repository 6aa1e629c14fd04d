import type { Clock } from "#offchain/core/clock.ts";
import type { Sql } from "#offchain/platform/database/database.ts";
import type { Bus } from "#offchain/platform/observe/bus.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { ClosingChannel } from "../service.ts";
import { closingChannels, isClosing } from "../store/closing.ts";

export interface ClosingOptions {
  sql: Sql;
  clock: Clock;
  log: Log;
  bus: Bus;
  /** The current chain run, or null before the chain is met. */
  runId: () => bigint | null;
}

/**
 * Tells payees when a payer begins to withdraw from a channel whose vouchers are not all claimed, and what becomes of it:
 * that a claim is under way, that all is claimed, that the withdrawal is over. After a restart it is told anew.
 */
export class ClosingWatch {
  private readonly options: ClosingOptions;
  private told = new Map<string, ClosingChannel>();

  constructor(options: ClosingOptions) {
    this.options = options;
  }

  /** @returns how many channels are closing with something unclaimed */
  async look(): Promise<number> {
    const { sql, clock, log, bus } = this.options;
    const runId = this.options.runId();
    if (runId === null) return 0;
    const shown = await closingChannels(sql, runId, [...this.told.keys()]);
    for (const channel of shown) {
      const before = this.told.get(channel.channelId);
      if (before && !isNews(before, channel)) continue;
      if (!before) log.warn(channel, "a payer withdraws from a channel whose vouchers are not all claimed");
      bus.publish({ type: "channel.closing", ...channel, at: clock.now() });
    }
    const open = shown.filter(isClosing);
    this.told = new Map(open.map((channel) => [channel.channelId, channel]));
    return open.length;
  }
}

const isNews = (before: ClosingChannel, now: ClosingChannel): boolean =>
  before.withdrawableAt !== now.withdrawableAt ||
  before.unclaimed.amount !== now.unclaimed.amount ||
  before.isClaiming !== now.isClaiming;
