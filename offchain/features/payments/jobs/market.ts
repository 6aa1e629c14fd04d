import type { Clock } from "#offchain/core/clock.ts";
import type { Chain } from "#offchain/platform/chain/chain.ts";
import { gasReading } from "#offchain/platform/chain/client/gas.ts";
import { latest } from "#offchain/platform/jobs/latest.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { ValuesOf } from "#offchain/platform/settings.ts";
import type { paymentsSettings } from "../settings.ts";
import { gridReading } from "./grid.ts";
import type { Market } from "./settle.ts";

/** A block of a fast chain: the price of gas changes with every block. */
const gasFreshMs = 2_000;

/** What a batch may wait for: the price of gas and the grid's forecast, each asked for only when it is old. */
export function openMarket(context: {
  chain: Chain;
  clock: Clock;
  log: Log;
  settings: ValuesOf<typeof paymentsSettings>;
}): Market {
  const { chain, clock, log, settings } = context;
  const unknown = (what: string) => (err: unknown) =>
    log.warn({ err }, `${what} is not known; nothing waits for it`);
  const { gridForecastUrl: url, gridToken: token, gridRefreshMs } = settings;
  return {
    gas: latest(
      { clock, freshMs: gasFreshMs, onError: unknown("the price of gas") },
      gasReading(chain.client.reader, settings.gasHistoryBlocks),
    ),
    energy: url
      ? latest(
          { clock, freshMs: gridRefreshMs, onError: unknown("the grid's forecast") },
          gridReading({ url, token, clock }),
        )
      : async () => null,
    nativePrice: settings.nativePrice ?? null,
  };
}
