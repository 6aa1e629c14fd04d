import type { Clearings } from "#offchain/features/clearing/service.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
import type { Payments } from "#offchain/features/payments/service.ts";
import type { X402 } from "#offchain/features/x402/service.ts";
import { chainFeature, type Opened } from "#offchain/platform/feature.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import { proveObligation } from "./actions/proof.ts";
import { reconcile as reconcileAction } from "./actions/reconcile.ts";
import { listSnapshots, reportSolvency, takeSnapshot } from "./actions/report.ts";
import { solvencyTokens } from "./contract.ts";
import { showSolvency, solvencyMetrics } from "./metrics.ts";
import { newest } from "./newest.ts";
import { reconcile } from "./reconcile.ts";
import type { Solvency } from "./service.ts";
import { solvencySettings } from "./settings.ts";
import { openSolvencySigner } from "./snapshot/signer.ts";
import { openSolvency } from "./solvency.ts";

/** So long a request waits for the next comparison. */
const reconcilePatienceMs = 10_000;

interface Needs {
  ledger: Ledger;
  payments: Payments;
  clearing: Clearings;
  x402: X402;
}

/** What the service owes against what is held for it, proved to those who are owed. */
export const solvency = chainFeature({
  name: "solvency",
  migrations: new URL("./migrations/", import.meta.url),
  settings: solvencySettings,
  actions: [reconcileAction, reportSolvency, listSnapshots, takeSnapshot, proveObligation],
  metrics: (builder: MetricsBuilder) => solvencyMetrics(builder),
  open(context, { ledger, payments, clearing, x402 }: Needs): Opened<Solvency> {
    const { sql, clock, log, chain, settings, metrics } = context;
    const { contracts, operator } = chain;
    const [client, view] = [chain.client.reader, chain.view];
    const service: Solvency = {
      ...openSolvency({
        sql,
        owing: { ledger, payments, clearings: clearing, x402 },
        client,
        view,
        clock,
        chainId: chain.chainId,
        isDefault: chain.chainId === context.defaultChainId,
        tokens: solvencyTokens(contracts, settings.reserves, payments.tokens),
        clearing: { address: contracts.clearing, settlement: contracts.batchSettlement },
        signer: openSolvencySigner({
          chainId: chain.chainId,
          signer: operator,
          settlement: contracts.batchSettlement,
        }),
        freshForMs: settings.freshForMs,
      }),
      reconcile: newest(
        () => reconcile({ sql, client, view, clock, ledger, payments, addresses: contracts }),
        { everyMs: settings.reconcileEveryMs, patienceMs: reconcilePatienceMs },
      ),
    };
    return {
      service,
      checks: {
        solvency: async () => {
          const problem = await service.problem();
          return problem === null ? {} : { status: "degraded", detail: { problem } };
        },
      },
      jobs: [
        {
          name: "solvency",
          everyMs: settings.everyMs,
          isExclusive: true,
          // Safe with several instances: each root continues the last.
          run: async () => void (await service.take()),
        },
        {
          // Apart from the snapshots, which go on while the clock is in doubt.
          name: "forget proofs",
          everyMs: settings.everyMs,
          isExclusive: true,
          run: async () => void (await service.forget(clock.now() - settings.proofRetentionMs)),
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
