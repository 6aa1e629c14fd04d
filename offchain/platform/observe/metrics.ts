import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const groupBuckets = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

export type Metrics = ReturnType<typeof createMetrics>;

/** Every figure that `/metrics` shows, in one place: `bursar_<what>_<unit>`, Prometheus text format. */
export function createMetrics(options: { process?: boolean } = {}) {
  const registry = new Registry();
  const registers = [registry];
  if (options.process !== false) collectDefaultMetrics({ register: registry, prefix: "bursar_" });
  const counter = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <Label extends string = never>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[] = [],
  ) => new Histogram({ name, help, buckets, labelNames, registers });

  return {
    registry,
    httpRequestSeconds: histogram(
      "bursar_http_request_seconds",
      "Time from a request's arrival to its answer",
      requestBuckets,
      ["action", "status"],
    ),
    httpInFlightRequests: gauge("bursar_http_in_flight_requests", "Requests being answered"),
    httpRefusedRequests: counter("bursar_http_refused_requests_total", "Requests refused, by error code", [
      "code",
    ]),
    streamClients: gauge("bursar_stream_clients", "Open live streams"),
    paymentStreams: gauge("bursar_payment_streams", "Open payment streams"),
    paymentStreamAnswers: counter(
      "bursar_payment_stream_answers_total",
      "Answers on payment streams: accepted, or the error code",
      ["code"],
    ),
    paymentsAccepted: counter("bursar_payments_accepted_total", "Payments accepted"),
    paymentsRefused: counter("bursar_payments_refused_total", "Payments refused, by error code", ["code"]),
    paymentGroupPayments: histogram(
      "bursar_payment_group_payments",
      "Payments carried by one database commit",
      groupBuckets,
    ),
    batchesSettled: counter("bursar_batches_settled_total", "Batches settled on the chain"),
    settlementGas: counter("bursar_settlement_gas_total", "Gas used by settlements"),
    channelsClosing: gauge(
      "bursar_channels_closing",
      "Channels from which payers withdraw while accepted vouchers are unclaimed; anything above 0 for long is an alert",
    ),
    chainHeadBlock: gauge("bursar_chain_head_block", "The chain's head"),
    indexedBlock: gauge("bursar_indexed_block", "The newest block that is indexed"),
    indexerLagBlocks: gauge("bursar_indexer_lag_blocks", "Blocks between head and index"),
    indexedEvents: counter("bursar_indexed_events_total", "Events indexed, those taken back later included"),
    indexerProgressRatio: gauge(
      "bursar_indexer_progress_ratio",
      "Share of the chain that is indexed, 0 to 1",
    ),
    indexerEventsPerSecond: gauge("bursar_indexer_events_per_second", "Events indexed per second, lately"),
    indexerEtaSeconds: gauge(
      "bursar_indexer_eta_seconds",
      "Time until the head is reached; NaN while unknown",
    ),
    reorganisations: counter("bursar_reorganisations_total", "Chain reorganisations rolled back"),
    senderQueueTransactions: gauge(
      "bursar_sender_queue_transactions",
      "Transactions waiting or sent and not mined",
    ),
    x402Sales: counter("bursar_x402_sales_total", "Priced requests paid and answered", ["action"]),
    x402Settlements: counter("bursar_x402_settlements_total", "x402 settles answered, by outcome", [
      "outcome",
    ]),
    solvencyObligations: gauge("bursar_solvency_obligations", "What the ledger owes, in whole units", [
      "unit",
    ]),
    solvencyHoldings: gauge("bursar_solvency_holdings", "What contracts hold for it, in whole units", [
      "unit",
    ]),
    solvencyDeficit: gauge(
      "bursar_solvency_deficit",
      "By how much holdings are short of obligations, in whole units; anything above 0 is an alert",
      ["unit"],
    ),
    solvencyBlock: gauge("bursar_solvency_block", "The block of the newest solvency snapshot"),
    solvencyTakenSeconds: gauge(
      "bursar_solvency_taken_seconds",
      "When the newest solvency snapshot was taken, Unix seconds",
    ),
    senderTransactions: counter("bursar_sender_transactions_total", "Transactions by outcome", ["outcome"]),
  };
}
