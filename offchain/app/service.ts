import type { Address } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import { requestWindowMs } from "#offchain/core/request.ts";
import type { OpenedChain } from "#offchain/platform/chain/chain.ts";
import { databaseCheck, databaseTime } from "#offchain/platform/database/check.ts";
import type { AnyFeature } from "#offchain/platform/feature.ts";
import type { Bus } from "#offchain/platform/observe/bus.ts";
import { createHealth, type Health, type HealthCheck } from "#offchain/platform/observe/health.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { Metrics } from "#offchain/platform/observe/metrics.ts";
import { publicRedactor } from "#offchain/platform/observe/secrets.ts";
import { type TimeWitness, TrueTime } from "#offchain/platform/observe/trueTime.ts";
import { createRateLimit } from "#offchain/platform/rateLimit.ts";
import { runOnce, type SeenRequests } from "#offchain/platform/requests/requests.ts";
import { seenRequests } from "#offchain/platform/requests/store.ts";
import { assertPricedActionsExist, type CallRates, type Calls, createCalls } from "./call.ts";
import { openChains } from "./chains.ts";
import { type Config, secretsOf } from "./config.ts";
import { actionsOf, features as ours } from "./features.ts";
import { type NamedJob, startJobs } from "./jobs.ts";
import { checkName, type OpenedFeatures, openFeatures } from "./openFeatures.ts";
import { openPlatform, type Platform } from "./platform.ts";
import type { Shutdown } from "./shutdown.ts";

/** The service at work: all that a door needs. */
export interface Service extends Calls {
  readonly config: Pick<Config, "http">;
  readonly clock: Clock;
  readonly log: Log;
  readonly bus: Bus;
  readonly metrics: Metrics;
  readonly health: Health;
  /** The chain that is meant where nothing else is said. */
  readonly chainId: number;
  /** Every chain that is followed, that one first. */
  readonly chainIds: readonly number[];
  /** Whoever signs with this address is the operator of a chain; null when nobody is. A call about no chain is the first's. */
  operatorOn(chainId: number): Address | null;
  /** What an answer says of the inside of an error, without secrets; null unless the service is debugged. */
  readonly detailOf: ((error: BursarError) => string) | null;
}

/**
 * Opens everything, follows the chains and starts the jobs; what is started is stopped by `shutdown`.
 * @param features in the order in which they are opened; other than Bursar's own in tests
 */
export async function openService(
  config: Config,
  { clock, log }: { clock: Clock; log: Log },
  shutdown: Shutdown,
  features: readonly AnyFeature[] = ours,
): Promise<Service> {
  const platform = await openPlatform(config, { clock, log }, shutdown, features);
  const chains = openChains(config, platform, features);
  const opened = await openFeatures(features, config, platform, chains);
  shutdown.add("features", () => opened.close());
  const [first] = chains;
  if (!first) throw new Error("there is no chain");
  const servicesOn = chooser(opened.services, first.chainId);
  const pricingOn = (chainId = first.chainId) => opened.pricing(chainId);
  const actions = actionsOf(features);
  for (const { chainId } of chains)
    assertPricedActionsExist(actions, pricingOn(chainId), chainId === first.chainId ? undefined : chainId);
  await startChains(chains, opened, shutdown);
  const seen = seenRequests(platform.sql);
  const time = new TrueTime(clock, config.observe.clockDifferenceMaxMs, witnessesOf(platform, chains));
  const redact = publicRedactor(secretsOf(config));
  const failing = startJobs([...opened.jobs, forgetRequests(seen, clock)], time, platform, shutdown);
  return {
    config,
    clock,
    log,
    bus: platform.bus,
    metrics: platform.metrics,
    health: createHealth({
      clock,
      timeoutMs: config.observe.healthTimeoutMs,
      redact,
      ...checksOf(platform, chains, opened, { jobs: failing.check, clock: time.check }),
    }),
    chainId: first.chainId,
    chainIds: chains.map(({ chainId }) => chainId),
    operatorOn: (chainId) => chains.find((chain) => chain.chainId === chainId)?.operator.address ?? null,
    detailOf: detailsBy(config.http, redact),
    ...createCalls({ actions, servicesOn, pricingOn, rates: callRates(config, clock), once: runOnce(seen) }),
  };
}

/** The stacks of an error and of its cause, where the service is debugged. */
export function detailsBy(
  { isDebug }: Pick<Config["http"], "isDebug">,
  redact: (text: string) => string,
): Service["detailOf"] {
  if (!isDebug) return null;
  return ({ stack = "", cause }) => {
    const reason = cause instanceof Error ? `\ncaused by ${cause.stack ?? cause.message}` : "";
    return redact(`${stack}${reason}`);
  };
}

/** Instances' clocks may differ: a request is remembered for a while longer than it could be sent. */
const forgetRequests = (seen: SeenRequests, clock: Clock): NamedJob => ({
  name: "forget requests",
  everyMs: requestWindowMs,
  isExclusive: true,
  runsOnAnyClock: false,
  run: async () => void (await seen.forget(clock.now() - requestWindowMs)),
});

/** How much one caller may ask of the pipeline. */
export function callRates({ http }: Pick<Config, "http">, clock: Clock): CallRates {
  const now = () => clock.now();
  const { ratePerIdentityPerSecond, ratePerIdentityBurst, rateTrackedMax: trackedMax } = http;
  const { streamRatePerSecond, streamRateBurst } = http;
  const limit = (perSecond: number, burst: number) => createRateLimit({ perSecond, burst, trackedMax, now });
  return {
    perIdentity: limit(ratePerIdentityPerSecond, ratePerIdentityBurst),
    ratePerIdentityPerSecond,
    perStreamer: limit(streamRatePerSecond, streamRateBurst),
    itemsPerSecond: streamRatePerSecond,
  };
}

function chooser(services: OpenedFeatures["services"], first: number) {
  return (chainId = first) => {
    const found = services.get(chainId);
    if (!found)
      throw new BursarError("NETWORK_MISMATCH", `chain ${chainId} is not followed here`, {
        facts: { got: chainId, followed: [...services.keys()].join(", ") },
      });
    return found;
  };
}

async function startChains(
  chains: readonly OpenedChain[],
  opened: OpenedFeatures,
  shutdown: Shutdown,
): Promise<void> {
  for (const chain of chains) {
    await chain.start(opened.handlers(chain.chainId), opened.listeners(chain.chainId));
    shutdown.add(`chain ${chain.chainId}`, () => chain.stop());
  }
}

/** Blocks of a development chain come when something happens, and have any time that a test likes: it is no witness. */
const witnessesOf = ({ sql }: Platform, chains: readonly OpenedChain[]): TimeWitness[] => [
  // Instances meet at the database: none of them is then further from another than requests are remembered longer than
  // they are taken, nor so far off that it refuses what is signed now.
  { name: "the database", now: () => databaseTime(sql), boundMs: requestWindowMs / 2 },
  ...chains.flatMap(({ chainId, isDevelopment, client }) =>
    isDevelopment
      ? []
      : {
          name: `chain ${chainId}`,
          now: async () => Number((await client.reader.getBlock()).timestamp) * 1_000,
        },
  ),
];

/** Every check by its name, and which chain it looks at if it looks at one. */
function checksOf(
  { sql }: Platform,
  chains: readonly OpenedChain[],
  opened: OpenedFeatures,
  own: Record<string, HealthCheck>,
) {
  const checks: Record<string, HealthCheck> = {
    database: databaseCheck(sql),
    ...own,
    ...opened.checks,
  };
  const chainOf: Record<string, number> = { ...opened.chainOfCheck };
  for (const chain of chains)
    for (const [plain, check] of Object.entries(chain.checks())) {
      const name = checkName(plain, chain.chainId, chains[0]?.chainId ?? 0);
      checks[name] = check;
      chainOf[name] = chain.chainId;
    }
  return { checks, chainOf };
}
