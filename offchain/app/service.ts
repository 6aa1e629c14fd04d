import type { Address } from "viem";
import type { Clock } from "#offchain/core/clock.ts";
import { BursarError } from "#offchain/core/error.ts";
import type { OpenedChain } from "#offchain/platform/chain/chain.ts";
import type { Handler } from "#offchain/platform/chain/event.ts";
import type { EpochListener } from "#offchain/platform/chain/indexer/indexer.ts";
import type { ChainContext, Context, Opened } from "#offchain/platform/feature.ts";
import { every } from "#offchain/platform/jobs/every.ts";
import type { Job } from "#offchain/platform/jobs/job.ts";
import { once } from "#offchain/platform/jobs/once.ts";
import type { Bus } from "#offchain/platform/observe/bus.ts";
import { createHealth, type Health, type HealthCheck } from "#offchain/platform/observe/health.ts";
import type { Log } from "#offchain/platform/observe/log.ts";
import type { Metrics } from "#offchain/platform/observe/metrics.ts";
import { createRateLimit } from "#offchain/platform/rateLimit.ts";
import { assertPricedActionsExist, type Calls, createCalls } from "./call.ts";
import { openChains } from "./chains.ts";
import type { Config } from "./config.ts";
import { features, type Services } from "./features.ts";
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
  /** Whoever signs with this address is the operator; null when nobody is. */
  readonly operator: Address | null;
  /** @throws BursarError NETWORK_MISMATCH for a chain that is not followed here */
  servicesOn(chainId?: number): Services;
}

type Feature = (typeof features)[number];

/** Opens everything, follows the chains and starts the jobs; what is started is stopped by `shutdown`. */
export async function openService(
  config: Config,
  { clock, log }: { clock: Clock; log: Log },
  shutdown: Shutdown,
): Promise<Service> {
  const platform = await openPlatform(config, { clock, log }, shutdown);
  const chains = openChains(config, platform);
  const opened = await openFeatures(config, platform, chains);
  const [first] = chains;
  if (!first) throw new Error("there is no chain");
  const servicesOn = chooser(opened.services, first.chainId);
  assertPricedActionsExist(servicesOn().x402.prices.keys());
  for (const chain of chains) {
    await chain.start(opened.handlers(chain.chainId), opened.listeners(chain.chainId));
    shutdown.add(`chain ${chain.chainId}`, () => chain.stop());
  }
  const running = opened.jobs.map((job) => start(job, platform));
  shutdown.add("jobs", async () => void (await Promise.all(running.map((job) => job.stop()))));
  const { rateTrackedMax: trackedMax, ratePerIdentityPerSecond, ratePerIdentityBurst: burst } = config.http;
  const now = () => clock.now();
  return {
    config,
    clock,
    log,
    bus: platform.bus,
    metrics: platform.metrics,
    health: createHealth({
      clock,
      timeoutMs: config.observe.healthTimeoutMs,
      checks: { ...checksOf(platform, chains), ...opened.checks },
    }),
    chainId: first.chainId,
    operator: first.operator.address,
    servicesOn,
    ...createCalls({
      servicesOn,
      perIdentity: createRateLimit({ perSecond: ratePerIdentityPerSecond, burst, trackedMax, now }),
      ratePerIdentityPerSecond,
    }),
  };
}

function chooser(services: ReadonlyMap<number, Services>, first: number) {
  return (chainId = first): Services => {
    const found = services.get(chainId);
    if (!found)
      throw new BursarError("NETWORK_MISMATCH", `chain ${chainId} is not followed here`, {
        facts: { got: chainId, followed: [...services.keys()].join(", ") },
      });
    return found;
  };
}

interface OpenedFeatures {
  readonly services: ReadonlyMap<number, Services>;
  readonly jobs: readonly Job[];
  readonly checks: Record<string, HealthCheck>;
  handlers(chainId: number): Handler[];
  listeners(chainId: number): EpochListener[];
}

/** Opens the features in their order: those of the whole service once, chain-bound ones on each chain. */
async function openFeatures(
  config: Config,
  platform: Platform,
  chains: readonly OpenedChain[],
): Promise<OpenedFeatures> {
  const services = new Map(chains.map(({ chainId }) => [chainId, {} as Record<string, unknown>]));
  const all: { chainId: number | null; parts: Opened<unknown> }[] = [];
  for (const feature of features) {
    const context: Context<unknown, unknown> = {
      clock: platform.clock,
      log: platform.log,
      sql: platform.sql,
      bus: platform.bus,
      recovery: platform.recovery,
      settings: config.features[feature.name],
      metrics: feature.metrics(platform.metrics),
      defaultChainId: chains[0]?.chainId ?? 0,
    };
    if (feature.scope === "service") {
      const parts = await openOne(feature, context, [...services.values()][0] ?? {});
      all.push({ chainId: null, parts });
      for (const offered of services.values()) offered[feature.name] = parts.service;
    } else
      for (const chain of chains) {
        const offered = services.get(chain.chainId) ?? {};
        const parts = await openOne(
          feature,
          { ...context, chain } as ChainContext<unknown, unknown>,
          offered,
        );
        all.push({ chainId: chain.chainId, parts });
        offered[feature.name] = parts.service;
      }
  }
  const of = (chainId: number) => all.filter((one) => one.chainId === chainId).map(({ parts }) => parts);
  const isAlone = chains.length === 1;
  return {
    services: services as unknown as ReadonlyMap<number, Services>,
    jobs: all.flatMap(({ chainId, parts }) =>
      (parts.jobs ?? []).map((job) =>
        isAlone || chainId === null ? job : { ...job, name: `${job.name} ${chainId}` },
      ),
    ),
    checks: Object.assign({}, ...all.map(({ parts }) => parts.checks)),
    handlers: (chainId) => of(chainId).flatMap(({ handlers = [] }) => handlers),
    listeners: (chainId) => of(chainId).flatMap(({ onNewEpoch = [] }) => onNewEpoch),
  };
}

/** The list of features is typed; here any of them is opened. */
async function openOne(feature: Feature, context: unknown, services: object): Promise<Opened<unknown>> {
  const open = feature.open as (
    context: unknown,
    needs: object,
  ) => Opened<unknown> | Promise<Opened<unknown>>;
  return open(context, services);
}

function start(job: Job, { locks, log }: Platform) {
  const run = job.isExclusive ? once(locks, job.name, () => job.run()) : () => job.run();
  return every(job.everyMs, run, (error) =>
    log.error({ err: error, job: job.name }, "a job failed; it is tried again"),
  );
}

/** The first chain's checks keep their names; another chain's carry its id. */
function checksOf({ sql }: Platform, chains: readonly OpenedChain[]): Record<string, HealthCheck> {
  const ofChains = chains.flatMap((chain, at) =>
    Object.entries(chain.checks()).map(([name, check]) => [
      at === 0 ? name : `${name} ${chain.chainId}`,
      check,
    ]),
  );
  return {
    database: async () => {
      await sql`SELECT 1`;
      return {};
    },
    ...Object.fromEntries(ofChains),
  };
}
