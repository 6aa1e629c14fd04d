import { expect, it } from "vitest";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";

it("names every figure bursar_<what>_<unit>", async () => {
  const names = (await createMetrics().registry.getMetricsAsJSON()).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !/^bursar_[a-z0-9_]+$/.test(name))).toEqual([]);
});

it("shows what was counted in the text format", async () => {
  const metrics = createMetrics({ process: false });
  metrics.paymentsAccepted.inc(3);
  metrics.httpRefusedRequests.inc({ code: "VOUCHER_STALE" });
  const text = await metrics.registry.metrics();
  expect(text).toContain("bursar_payments_accepted_total 3");
  expect(text).toContain('bursar_http_refused_requests_total{code="VOUCHER_STALE"} 1');
});
