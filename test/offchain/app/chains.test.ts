import { inspect } from "node:util";
import { expect, test } from "vitest";
import { openChains } from "#offchain/app/chains.ts";
import { readConfig } from "#offchain/app/config.ts";
import { features } from "#offchain/app/features.ts";
import { openFeatures } from "#offchain/app/openFeatures.ts";
import type { Platform } from "#offchain/app/platform.ts";
import { type AnyFeature, chainFeature, serviceFeature } from "#offchain/platform/feature.ts";
import { createLog } from "#offchain/platform/observe/log.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";
import { key } from "#offchain/platform/settings.ts";

const privateKey = `0x${"4b1d".repeat(16)}` as const;
const clock = { now: () => 0 };
const platform = {
  clock,
  log: createLog({ level: "silent", clock }),
  metrics: createMetrics({ process: false }),
} as Platform;

/** Everything that can be reached from a value, as text. */
const everythingIn = (value: unknown): string =>
  inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null });

/** What features are opened with, under this operator key: one of the service and one of the chain. */
async function contexts(): Promise<unknown[]> {
  const seen: unknown[] = [];
  const spies: readonly AnyFeature[] = [
    serviceFeature({ name: "spy", open: (context) => ({ service: seen.push(context) }) }),
    chainFeature({ name: "chainSpy", open: (context) => ({ service: seen.push(context) }) }),
  ];
  const config = readConfig({ BURSAR_OPERATOR_KEY: privateKey });
  const chains = openChains(config, platform, spies);
  await openFeatures(spies, config, platform, chains);
  return seen;
}

test("what features are opened with signs for the operator, and tells nobody its key", async () => {
  const [ofService, ofChain] = (await contexts()) as [unknown, { chain: { operator: { address: string } } }];
  expect(ofChain.chain.operator.address).toMatch(/^0x/);
  for (const context of [ofService, ofChain]) {
    const text = everythingIn(context).toLowerCase();
    expect(text).toContain("clock");
    expect(text).not.toContain(privateKey.slice(2));
  }
});

test("no feature's settings carry a private key", () => {
  const settings = features.flatMap((feature) => Object.values(feature.settings));
  expect(settings.length).toBeGreaterThan(0);
  expect(settings.filter(({ schema }) => schema === key)).toEqual([]);
  const config = readConfig({ BURSAR_OPERATOR_KEY: privateKey });
  expect(config.chains[0]?.chain.operatorKey).toBe(privateKey);
  expect(everythingIn(config.features)).not.toContain(privateKey.slice(2));
});
