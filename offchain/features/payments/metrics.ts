import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";

export type PaymentMetrics = ReturnType<typeof paymentMetrics>;

/** `chain` is its id. */
export const paymentMetrics = ({ counter, gauge }: MetricsBuilder) => ({
  accepted: counter("bursar_payments_accepted_total", "Payments accepted", ["chain"]),
  batchesSettled: counter("bursar_batches_settled_total", "Batches settled on the chain", ["chain"]),
  settlementGas: counter("bursar_settlement_gas_total", "Gas used by settlements", ["chain"]),
  channelsClosing: gauge(
    "bursar_channels_closing",
    "Channels from which payers withdraw while accepted vouchers are unclaimed; anything above 0 for long is an alert",
    ["chain"],
  ),
});
