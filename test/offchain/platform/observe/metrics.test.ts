import { expect, it } from "vitest";
import { features } from "#offchain/app/features.ts";
import { httpMetrics } from "#offchain/doors/http/metrics.ts";
import { payments } from "#offchain/features/payments/feature.ts";
import { chainMetrics } from "#offchain/platform/chain/metrics.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";

it("names every figure bursar_<what>_<unit>", async () => {
  const metrics = createMetrics();
  httpMetrics(metrics);
  chainMetrics(metrics);
  for (const feature of features) feature.metrics(metrics);
  const names = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !/^bursar_[a-z0-9_]+$/.test(name))).toEqual([]);
});

it("shows what was counted in the text format", async () => {
  const metrics = createMetrics({ process: false });
  const { accepted } = payments.metrics(metrics);
  const { refusedRequests } = httpMetrics(metrics);
  accepted.inc({ chain: "31337" }, 3);
  refusedRequests.inc({ code: "VOUCHER_STALE" });
  const text = await metrics.registry.metrics();
  expect(text).toContain('bursar_payments_accepted_total{chain="31337"} 3');
  expect(text).toContain('bursar_http_refused_requests_total{code="VOUCHER_STALE"} 1');
});
