import type { Abi } from "viem";
import { clearingAbi } from "#contracts";
import type { Payments } from "#offchain/features/payments/service.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import { showClearing } from "./actions/show.ts";
import { showStanding } from "./actions/standing.ts";
import { openClearing } from "./clearing.ts";
import { clearingHandlers } from "./events.ts";
import { clear } from "./jobs.ts";
import type { Clearings } from "./service.ts";
import { clearingSettings } from "./settings.ts";

const clearEveryMs = 250;

/** One deposit pays any payee: credits, their roots on the chain, and payouts. */
export const clearing = chainFeature({
  name: "clearing",
  migrations: new URL("./migrations/", import.meta.url),
  settings: clearingSettings,
  abis: { Clearing: clearingAbi as Abi },
  actions: [showClearing, showStanding],
  open(context, { payments }: { payments: Payments }): Opened<Clearings> {
    const { sql, clock, log, chain, settings } = context;
    const addresses = chain.contracts;
    const service = openClearing({
      sql,
      client: chain.client.reader,
      view: chain.view,
      receipts: payments.receiptSigner,
      addresses,
    });
    payments.joinHub({ isBonded: () => service.isBonded() });
    return {
      service,
      handlers: clearingHandlers(addresses.clearing, addresses.usdc),
      jobs: [
        {
          name: "clear",
          everyMs: clearEveryMs,
          isExclusive: true,
          run: () =>
            clear({
              sql,
              clock,
              log,
              client: chain.client.reader,
              chainId: chain.chainId,
              epoch: () => chain.epoch(),
              addresses,
              sender: chain.sender,
              isBonded: () => service.isBonded(),
              rootEveryMs: settings.rootEveryMs,
            }),
        },
      ],
    };
  },
});
