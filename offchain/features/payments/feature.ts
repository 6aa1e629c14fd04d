import type { Abi } from "viem";
import { batchSettlementAbi, erc3009DepositCollectorAbi, testUsdcAbi } from "#contracts";
import type { ChainContext, Opened } from "#offchain/platform/feature.ts";
import { chainFeature } from "#offchain/platform/feature.ts";
import type { Job } from "#offchain/platform/jobs/job.ts";
import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";
import type { ValuesOf } from "#offchain/platform/settings.ts";
import { flush } from "./actions/flush.ts";
import { listBatches } from "./actions/listBatches.ts";
import { listChannels } from "./actions/listChannels.ts";
import { listPayments } from "./actions/listPayments.ts";
import { openChannel } from "./actions/openChannel.ts";
import { pay } from "./actions/pay.ts";
import { payBatch } from "./actions/payBatch.ts";
import { showBatch } from "./actions/showBatch.ts";
import { showChannel } from "./actions/showChannel.ts";
import { showReceipt } from "./actions/showReceipt.ts";
import type { BatchPolicy } from "./batchPolicy.ts";
import { settlementHandlers } from "./events.ts";
import { openMicropayments } from "./intake.ts";
import { claimPayers } from "./jobs/claimPayers.ts";
import { ClosingWatch } from "./jobs/closing.ts";
import { payOutHeld } from "./jobs/payouts.ts";
import { settle } from "./jobs/settle.ts";
import { openMarket } from "./market.ts";
import { type PaymentMetrics, paymentMetrics } from "./metrics.ts";
import { openReceiptSigner } from "./receiptSigner.ts";
import type { Hub, Payments } from "./service.ts";
import { paymentsSettings } from "./settings.ts";
import { endEpoch } from "./store/claims.ts";

type PaymentContext = ChainContext<ValuesOf<typeof paymentsSettings>, PaymentMetrics>;

/** Channels, the intake of signed vouchers, batches and their settlement. */
export const payments = chainFeature({
  name: "payments",
  migrations: new URL("./migrations/", import.meta.url),
  settings: paymentsSettings,
  abis: {
    BatchSettlement: batchSettlementAbi as Abi,
    Erc3009DepositCollector: erc3009DepositCollectorAbi as Abi,
    TestUSDC: testUsdcAbi as Abi,
  },
  actions: [
    flush,
    listBatches,
    showBatch,
    listChannels,
    openChannel,
    showChannel,
    listPayments,
    pay,
    payBatch,
    showReceipt,
  ],
  metrics: (builder: MetricsBuilder) => paymentMetrics(builder),
  open(context): Opened<Payments> {
    const { clock, chain, metrics } = context;
    const { contracts } = chain;
    const policy = policyOf(context.settings);
    chain.onMined(({ purpose, success, gasUsed }) => {
      if (purpose !== "batch.settle" || !success) return;
      metrics.batchesSettled.inc();
      metrics.settlementGas.inc(Number(gasUsed));
    });
    return {
      service: openPayments(context, policy),
      handlers: settlementHandlers(contracts.batchSettlement, contracts),
      onNewEpoch: [(tx, old) => endEpoch(tx, old.id, clock.now())],
      jobs: jobsOf(context, policy),
    };
  },
});

const policyOf = (settings: PaymentContext["settings"]): BatchPolicy => ({
  mode: settings.mode,
  batchSize: settings.size,
  maxDelayMs: settings.maxDelayMs,
  minAmount: settings.minAmount,
  urgentAmount: settings.urgentAmount,
});

function openPayments(context: PaymentContext, policy: BatchPolicy): Payments {
  const { sql, clock, chain, recovery, settings, metrics } = context;
  const { contracts, operator, chainId } = chain;
  const receiptSigner = openReceiptSigner({ chainId, key: operator, addresses: contracts });
  const listeners: Parameters<Payments["onAccepted"]>[0][] = [];
  let hub: Hub | null = null;
  const intake = openMicropayments({
    sql,
    clock,
    view: chain.view,
    sender: chain.sender,
    client: chain.client.reader,
    recovery,
    receipts: receiptSigner,
    isBonded: async () => (await hub?.isBonded()) ?? false,
    chainId,
    addresses: contracts,
    policy,
    queue: { maxGroup: settings.intakeGroupMax, maxWaiting: settings.intakeQueueMax },
    onAccepted: (count, value) => {
      metrics.accepted.inc(count);
      for (const listener of listeners) listener(count, value);
    },
  });
  return {
    ...intake,
    policy,
    receiptSigner,
    onAccepted: (listener) => void listeners.push(listener),
    joinHub(opened) {
      hub = opened;
    },
  };
}

function jobsOf(context: PaymentContext, policy: BatchPolicy): Job[] {
  const { sql, clock, log, bus, chain, settings, metrics } = context;
  const { chainId, contracts, sender } = chain;
  const epoch = () => chain.epoch();
  const settlement = contracts.batchSettlement;
  const market = openMarket(context);
  const closing = new ClosingWatch({ sql, clock, log, bus, epoch });
  const onBatch = (batchId: bigint, state: string) =>
    log.debug({ batchId: batchId.toString(), state }, "batch");
  return [
    {
      name: "settle",
      everyMs: settings.tickMs,
      run: () => settle({ sql, clock, log, policy, market, chainId, epoch, settlement, sender, onBatch }),
    },
    {
      name: "claim payers",
      everyMs: settings.tickMs,
      run: async () => void (await claimPayers({ sql, clock, log, chainId, epoch, settlement, sender })),
    },
    {
      name: "closing channels",
      everyMs: settings.tickMs,
      run: async () => metrics.channelsClosing.set(await closing.look()),
    },
    {
      name: "payouts",
      everyMs: settings.payoutEveryMs,
      isExclusive: true,
      async run() {
        const paid = await payOutHeld({ sql, clock, sender, epoch, addresses: contracts });
        if (paid > 0) log.info({ paid }, "payees whose payout was held are paid out");
      },
    },
  ];
}
