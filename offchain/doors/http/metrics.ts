import type { MetricsBuilder } from "#offchain/platform/observe/metrics.ts";

const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export type HttpMetrics = ReturnType<typeof httpMetrics>;

/** What the HTTP door counts. */
export const httpMetrics = ({ counter, gauge, histogram }: MetricsBuilder) => ({
  requestSeconds: histogram(
    "bursar_http_request_seconds",
    "Time from a request's arrival to its answer",
    requestBuckets,
    ["action", "status"],
  ),
  inFlightRequests: gauge("bursar_http_in_flight_requests", "Requests being answered"),
  refusedRequests: counter(
    "bursar_http_refused_requests_total",
    "Requests refused, by error code; ABORTED: the client hung up in its body",
    ["code"],
  ),
  streamClients: gauge("bursar_stream_clients", "Open live streams"),
  paymentStreams: gauge("bursar_payment_streams", "Open payment streams"),
  paymentStreamAnswers: counter(
    "bursar_payment_stream_answers_total",
    "Answers on payment streams: accepted, or the error code",
    ["code"],
  ),
});
