import { assertPricedActionsExist, createCalls } from "#offchain/app/call.ts";
import { readConfig } from "#offchain/app/config.ts";
import { actions, type Services } from "#offchain/app/features.ts";
import type { Service } from "#offchain/app/service.ts";
import { createBus } from "#offchain/platform/observe/bus.ts";
import { createHealth, type HealthCheck } from "#offchain/platform/observe/health.ts";
import { createLog, type Log } from "#offchain/platform/observe/log.ts";
import { createMetrics } from "#offchain/platform/observe/metrics.ts";
import { createRateLimit } from "#offchain/platform/rateLimit.ts";

export const chainId = 31337;

export interface SmallServiceOptions {
  /** What the tests ask for; what is asked and not there fails loudly. */
  services: Partial<Services> | object;
  environment?: Record<string, string>;
  clock?: { now: () => number };
  operator: `0x${string}`;
  log?: Log;
  checks?: Record<string, HealthCheck>;
}

/** The real pipeline of a call before few, or small, services: what a door is opened with. */
export function smallService(options: SmallServiceOptions): Service {
  const clock = options.clock ?? { now: () => Date.now() };
  const config = readConfig({ BURSAR_PORT: "0", ...options.environment });
  const services = options.services as Services;
  assertPricedActionsExist(actions, services.x402?.prices.keys() ?? []);
  const { ratePerIdentityPerSecond, ratePerIdentityBurst: burst, rateTrackedMax: trackedMax } = config.http;
  const perIdentity = createRateLimit({
    perSecond: ratePerIdentityPerSecond,
    burst,
    trackedMax,
    now: () => clock.now(),
  });
  const servicesOn = () => services;
  return {
    config: { http: { ...config.http } },
    clock,
    log: options.log ?? createLog({ level: "error", clock }),
    bus: createBus({ run: "run", ringSize: config.http.streamRingSize }),
    metrics: createMetrics({ process: false }),
    health: createHealth({ clock, timeoutMs: 500, checks: options.checks ?? {} }),
    chainId,
    chainIds: [chainId],
    operator: options.operator,
    servicesOn,
    ...createCalls({ actions, servicesOn, perIdentity, ratePerIdentityPerSecond }),
  };
}
