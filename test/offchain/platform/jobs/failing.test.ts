import { expect, it } from "vitest";
import { BursarError } from "#offchain/core/error.ts";
import { FailingJobs } from "#offchain/platform/jobs/failing.ts";

const broken = new BursarError("CHAIN_UNAVAILABLE", "the provider is away");

it("shows a failing job until it works again", async () => {
  const failing = new FailingJobs({ now: () => 0 });
  failing.failed("settle", broken);
  expect(await failing.check()).toEqual({ status: "degraded", detail: { settle: broken.message } });
  failing.done("settle");
  expect(await failing.check()).toEqual({});
});

it("does not take a job for mended because another instance holds it, nor shows its failure for ever", async () => {
  let now = 0;
  const failing = new FailingJobs({ now: () => now });
  failing.failed("payouts", broken);
  failing.passed("payouts");
  expect(await failing.check()).toMatchObject({ status: "degraded" });
  now += 60_001;
  failing.passed("payouts");
  expect(await failing.check()).toEqual({});
});

it("does not show a failure until the time of a clock that was ahead", async () => {
  let now = 40 * 86_400_000;
  const failing = new FailingJobs({ now: () => now });
  failing.failed("payouts", broken);
  now = 0;
  failing.passed("payouts");
  expect(await failing.check()).toEqual({});
});
