import { erc20Abi } from "viem";
import { batchSettlementAbi, erc3009DepositCollectorAbi, testUsdcAbi } from "#contracts";
import { units } from "#offchain/core/unit.ts";
import type { Agents } from "#offchain/features/agents/service.ts";
import type { Energy } from "#offchain/features/energy/service.ts";
import type { Ledger } from "#offchain/features/ledger/service.ts";
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
import { settlementHandlers } from "./events/events.ts";
import { Postings } from "./events/postings.ts";
import { channelTokens, TokenCheck } from "./intake/tokens.ts";
import { claimPayers } from "./jobs/claimPayers.ts";
import { ClosingWatch } from "./jobs/closing.ts";
import { openMarket } from "./jobs/market.ts";
import { payOutHeld } from "./jobs/payouts.ts";
import { settle } from "./jobs/settle.ts";
import { openPayments } from "./payments.ts";
import { type BatchPolicies, batchPolicies } from "./rules/batch.ts";
import { purposes } from "./rules/purposes.ts";
import { assertConfigured, type ChannelTokens } from "./rules/tokens.ts";
import type { Payments } from "./service.ts";
import { paymentsSettings } from "./settings.ts";
import { bookedTokens } from "./store/channels.ts";

type PaymentContext = ChainContext<ValuesOf<typeof paymentsSettings>, ReturnType<typeof paymentMetrics>>;

/** `chain` is its id. */
const paymentMetrics = ({ counter, gauge }: MetricsBuilder) => ({
  accepted: counter("bursar_payments_accepted_total", "Payments accepted", ["chain"]),
  batchesSettled: counter(
    "bursar_batches_settled_total",
    "Batches settled on the chain, below the reach of reorganisations",
    ["chain"],
  ),
  settlementGas: counter("bursar_settlement_gas_total", "Gas used by these settlements", ["chain"]),
  channelsClosing: gauge(
    "bursar_channels_closing",
    "Channels from which payers withdraw while accepted vouchers are unclaimed; anything above 0 for long is an alert",
    ["chain"],
  ),
});

/** Channels, the intake of signed vouchers, batches and their settlement. */
export const payments = chainFeature({
  name: "payments",
  migrations: new URL("./migrations/", import.meta.url),
  settings: paymentsSettings,
  contracts: [
    { name: "BatchSettlement", abi: batchSettlementAbi, address: "batchSettlement" },
    { name: "Erc3009DepositCollector", abi: erc3009DepositCollectorAbi, address: "depositCollector" },
    {
      name: "USDC",
      abi: testUsdcAbi,
      address: "usdc",
      token: { symbol: "USDC", decimals: units.USDC.decimals },
    },
    {
      name: "AgentToken",
      abi: erc20Abi,
      address: "agentToken",
      token: { symbol: "AVT", decimals: units.AVT.decimals },
    },
    {
      name: "Scrip",
      abi: erc20Abi,
      address: "scrip",
      token: { symbol: "SCRIP", decimals: units.SCRIP.decimals },
    },
  ],
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
  async open(context, others: { ledger: Ledger; agents: Agents; energy: Energy }): Promise<Opened<Payments>> {
    const { sql, clock, chain, recovery, settings, metrics } = context;
    const { chainId, contracts } = chain;
    const label = { chain: String(chainId) };
    const tokens = channelTokens(chain, settings);
    const tokenCheck = await checkedTokens(context, tokens);
    const policies = policiesOf(settings, tokens);
    const postings = new Postings(others.ledger);
    chain.onFinal(({ purpose, success, gasUsed }) => {
      if (purpose !== purposes.settlement || !success) return;
      metrics.batchesSettled.inc(label);
      metrics.settlementGas.inc(label, Number(gasUsed));
    });
    return {
      service: openPayments({
        ...others,
        sql,
        clock,
        chain,
        recovery,
        forgedMax: settings.forgedMax,
        lagMaxMs: settings.acceptLagMaxMs,
        postings,
        policies,
        tokens,
        tokenCheck,
        queue: { maxGroup: settings.intakeGroupMax, maxWaiting: settings.intakeQueueMax },
        onAccepted: (count) => metrics.accepted.inc(label, count),
      }),
      handlers: settlementHandlers({
        address: contracts.batchSettlement,
        clearing: contracts.clearing,
        tokens,
        takes: (token) => tokenCheck.takes(token),
        postings,
      }),
      onNewRun: [(tx, old) => postings.endRun(tx, old.id, clock.now())],
      jobs: jobsOf(context, others.ledger, policies, tokens),
    };
  },
});

/** @throws BursarError TOKEN_MISMATCH: a token is not what it is configured as, or one that the books hold is missing */
async function checkedTokens(
  { sql, chain, log }: PaymentContext,
  tokens: ChannelTokens,
): Promise<TokenCheck> {
  const { chainId, client } = chain;
  const inBooks = await bookedTokens(sql, chainId);
  assertConfigured(tokens, chainId, inBooks);
  const booked = new Set(inBooks.map(({ unit }) => unit));
  const check = new TokenCheck({ reader: client.reader, chainId, tokens, booked, log });
  await check.atStart();
  return check;
}

const policiesOf = (settings: PaymentContext["settings"], tokens: ChannelTokens): BatchPolicies =>
  batchPolicies(
    {
      mode: settings.mode,
      batchSize: settings.size,
      maxDelayMs: settings.maxDelayMs,
      minAmount: settings.minAmount,
      urgentAmount: settings.urgentAmount,
    },
    tokens,
  );

function jobsOf(
  context: PaymentContext,
  ledger: Ledger,
  policies: BatchPolicies,
  tokens: ChannelTokens,
): Job[] {
  const { sql, clock, log, bus, chain, settings, metrics } = context;
  const { chainId, contracts, sender } = chain;
  const runId = () => chain.runId();
  const claimed = { settlement: contracts.batchSettlement, clearing: contracts.clearing };
  const market = openMarket(context);
  const closing = new ClosingWatch({ sql, clock, log, bus, runId });
  const payOut = payOutHeld({ sql, ledger, sender, runId, addresses: contracts, tokens });
  const onBatch = (batchId: bigint, state: string) =>
    log.debug({ batchId: batchId.toString(), state }, "batch");
  return [
    {
      name: "settle",
      everyMs: settings.tickMs,
      run: () => settle({ sql, clock, log, policies, market, runId, contracts: claimed, sender, onBatch }),
    },
    {
      name: "claim payers",
      everyMs: settings.tickMs,
      run: async () => void (await claimPayers({ sql, clock, log, runId, contracts: claimed, sender })),
    },
    {
      name: "closing channels",
      everyMs: settings.tickMs,
      run: async () => metrics.channelsClosing.set({ chain: String(chainId) }, await closing.look()),
    },
    {
      name: "payouts",
      everyMs: settings.payoutEveryMs,
      isExclusive: true,
      async run() {
        const paid = await payOut();
        if (paid > 0) log.info({ paid }, "payouts that were held are sent");
      },
    },
  ];
}
