import type { Ledger } from "#offchain/features/ledger/service.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import { proveObligation } from "./actions/proof.ts";
import { reconcile as reconcileAction } from "./actions/reconcile.ts";
import { listSnapshots, reportSolvency, takeSnapshot } from "./actions/report.ts";
import { showSolvency } from "./jobs.ts";
import { solvencyMetrics } from "./metrics.ts";
import { reconcile } from "./reconcile.ts";
import type { Solvency } from "./service.ts";
import { solvencySettings } from "./settings.ts";
import { openSolvencySigner } from "./signer.ts";
import { openSolvency } from "./solvency.ts";
import { solvencyTokens } from "./tokens.ts";

/** What the service owes against what is held for it, proved to those who are owed. */
export const solvency = chainFeature({
  name: "solvency",
  migrations: new URL("./migrations/", import.meta.url),
  settings: solvencySettings,
  actions: [reconcileAction, reportSolvency, listSnapshots, takeSnapshot, proveObligation],
  metrics: (builder: MetricsBuilder) => solvencyMetrics(builder),
  open(context, { ledger }: { ledger: Ledger }): Opened<Solvency> {
    const { sql, clock, log, chain, settings, metrics } = context;
    const { contracts, operator } = chain;
    const [client, view] = [chain.client.reader, chain.view];
    const service: Solvency = {
      ...openSolvency({
        sql,
        client,
        view,
        clock,
        chainId: chain.chainId,
        tokens: solvencyTokens(contracts, settings.reserves),
        clearing: { address: contracts.clearing, settlement: contracts.batchSettlement },
        signer: openSolvencySigner({
          chainId: chain.chainId,
          key: operator,
          settlement: contracts.batchSettlement,
        }),
        freshForMs: settings.freshForMs,
      }),
      reconcile: () => reconcile({ sql, client, view, ledger, addresses: contracts }),
    };
    return {
      service,
      jobs: [
        {
          name: "solvency",
          everyMs: settings.everyMs,
          isExclusive: true,
          // Safe with several instances: each root continues the last.
          async run() {
            await service.take();
            await service.forget(clock.now() - settings.proofRetentionMs);
          },
        },
        {
          name: "show solvency",
          everyMs: settings.everyMs,
          run: async () => showSolvency(await service.report(), metrics, log),
        },
      ],
    };
  },
});
