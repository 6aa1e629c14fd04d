import { assertPricedActionsExist, createCalls } from "#offchain/app/call.ts";
import { readConfig } from "#offchain/app/config.ts";
import { type ActionsByName, actions as ours, type Services } from "#offchain/app/features.ts";
import { callRates, detailsBy, type Service } from "#offchain/app/service.ts";
import type { Pricing } from "#offchain/core/call/pricing.ts";
import { createBus } from "#offchain/platform/observe/bus.ts";
import { createHealth, type HealthCheck } from "#offchain/platform/observe/health.ts";
import { createLog, type Log } from "#offchain/platform/observe/log.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";
import { runOnce, type SeenRequests } from "#offchain/platform/requests/requests.ts";

export const chainId = 31337;

export interface SmallServiceOptions {
  /** What the tests ask for; what is asked and not there fails loudly. */
  services: Partial<Services> | object;
  /** Of chains that are followed besides the first one. */
  otherChains?: ReadonlyMap<number, object>;
  /** Who sells what has a price. */
  pricing?: Pricing;
  /** Bursar's own, unless a test has others. */
  actions?: ActionsByName;
  environment?: Record<string, string>;
  clock?: { now: () => number };
  operator: `0x${string}`;
  log?: Log;
  checks?: Record<string, HealthCheck>;
  /** Signed requests that were let in; in memory, unless a test has a database. */
  seen?: SeenRequests;
}

export function seenInMemory(): SeenRequests {
  const answers = new Map<string, string | null>();
  return {
    async remember({ digest }) {
      const answer = answers.get(digest);
      if (answer !== undefined) return { isFirst: false, answer };
      answers.set(digest, null);
      return { isFirst: true };
    },
    keep: async ({ digest }, answer) => void answers.set(digest, answer),
    forget: async () => 0,
  };
}

/** The real pipeline of a call before few, or small, services: what a door is opened with. */
export function smallService(options: SmallServiceOptions): Service {
  const clock = options.clock ?? { now: () => Date.now() };
  const config = readConfig({ BURSAR_PORT: "0", ...options.environment });
  const { services, actions = ours, pricing = null, otherChains = new Map() } = options;
  assertPricedActionsExist(actions, pricing);
  return {
    config: { http: { ...config.http } },
    clock,
    log: options.log ?? createLog({ level: "error", clock }),
    bus: createBus({ run: "run", ringSize: config.http.streamRingSize }),
    metrics: createMetrics({ process: false }),
    health: createHealth({ clock, timeoutMs: 500, checks: options.checks ?? {} }),
    chainId,
    chainIds: [chainId, ...otherChains.keys()],
    operatorOn: () => options.operator,
    detailOf: detailsBy(config.http, (text) => text),
    ...createCalls({
      actions,
      servicesOn: (id = chainId) => otherChains.get(id) ?? services,
      pricingOn: () => pricing,
      rates: callRates(config, clock),
      once: runOnce(options.seen ?? seenInMemory()),
    }),
  };
}
