import type { Pricing } from "#offchain/core/call/pricing.ts";
import type { OpenedChain } from "#offchain/platform/chain/chain.ts";
import { type Handler, ownedBy } from "#offchain/platform/chain/event.ts";
import type { RunListener } from "#offchain/platform/chain/indexer/options.ts";
import type { AnyFeature, ChainContext, Context, Opened } from "#offchain/platform/feature.ts";
import type { HealthCheck } from "#offchain/platform/observe/health.ts";
import type { Config } from "./config.ts";
import { jobsOnAnyClock, type NamedJob } from "./jobs.ts";
import type { Platform } from "./platform.ts";

/** The features at work. */
export interface OpenedFeatures {
  /** What they offer, by chain and then by name. */
  readonly services: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
  readonly jobs: readonly NamedJob[];
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** By name of a check: the chain that it looks at, where it looks at one. */
  readonly chainOfCheck: Readonly<Record<string, number>>;
  /** What the chain's events do. */
  handlers(chainId: number): Handler[];
  /** Told when a new run of the chain begins. */
  listeners(chainId: number): RunListener[];
  /** Who sells the priced actions of a chain; null when nothing is sold. */
  pricing(chainId: number): Pricing | null;
  close(): Promise<void>;
}

/** One feature, opened once for the service (`chainId` null) or on a chain. */
interface Part {
  readonly chainId: number | null;
  readonly opened: Opened<unknown>;
}

/** Opens the features in their order: those of the whole service once, chain-bound ones on each chain. */
export async function openFeatures(
  features: readonly AnyFeature[],
  config: Config,
  platform: Platform,
  chains: readonly OpenedChain[],
): Promise<OpenedFeatures> {
  const services = new Map(chains.map(({ chainId }) => [chainId, {} as Record<string, unknown>]));
  const [first] = chains;
  if (!first) throw new Error("there is no chain");
  const parts: Part[] = [];
  for (const feature of features) {
    const shared = contextOf(feature, platform, first.chainId);
    const on = (chainId: number | null) => ({
      ...shared,
      settings: settingsOf(config, feature.name, chainId),
    });
    if (feature.scope === "service") {
      const opened = await feature.open(on(null), needsOf(feature, services.get(first.chainId)));
      assertWithoutChain(feature, opened);
      parts.push({ chainId: null, opened });
      for (const offered of services.values()) offered[feature.name] = opened.service;
    } else
      for (const chain of chains) {
        const offered = services.get(chain.chainId) ?? {};
        const context = onChain(on(chain.chainId), chain, feature.name);
        const opened = await feature.open(context, needsOf(feature, offered));
        parts.push({ chainId: chain.chainId, opened: withOwnHandlers(feature.name, opened) });
        offered[feature.name] = opened.service;
      }
  }
  return gathered(parts, services, first.chainId);
}

function contextOf(
  { metrics }: AnyFeature,
  { clock, log, sql, bus, recovery, metrics: builder }: Platform,
  defaultChainId: number,
): Omit<Context<unknown, unknown>, "settings"> {
  return { clock, log, sql, bus, recovery, metrics: metrics(builder), defaultChainId };
}

/** @param chainId of the chain that the feature is opened on; null: once for the service */
function settingsOf({ features, chains }: Config, name: string, chainId: number | null) {
  const ofAll = chains.find((each) => each.chainId === chainId)?.features ?? features;
  return (ofAll as Readonly<Record<string, Record<string, unknown>>>)[name] ?? {};
}

/** The services of those that were opened before. @throws Error (when asked for another) */
const needsOf = ({ name }: AnyFeature, offered: Readonly<Record<string, unknown>> = {}) =>
  new Proxy(offered, {
    get(services, needed) {
      if (needed in services) return services[String(needed)];
      throw new Error(`the feature ${name} needs ${String(needed)}, which must stand before it in the list`);
    },
  });

/** What is opened once has no chain whose events it could handle. */
function assertWithoutChain({ name }: AnyFeature, { handlers, onNewRun }: Opened<unknown>): void {
  if (handlers || onNewRun)
    throw new Error(`the feature ${name} handles a chain's events, and is opened on none`);
}

/** What a feature watches is watched for it alone: another one of the same event gets its past for itself. */
const withOwnHandlers = (name: string, opened: Opened<unknown>): Opened<unknown> =>
  opened.handlers ? { ...opened, handlers: ownedBy(name, opened.handlers) } : opened;

/** What a feature logs and tells the live stream on a chain says which. */
function onChain(
  context: Context<Record<string, unknown>, unknown>,
  chain: OpenedChain,
  feature: string,
): ChainContext<Record<string, unknown>, unknown> {
  const { log, bus } = context;
  const { chainId } = chain;
  return {
    ...context,
    chain: {
      ...chain,
      watch: (handlers) => chain.watch(ownedBy(feature, handlers)),
      runId: () => chain.runId(),
      onFinal: (listener) => chain.onFinal(listener),
    },
    log: log.child({ chain: chainId }),
    bus: {
      publish: (event) => bus.publish({ ...event, chainId }),
      subscribe: (listener, afterId) => bus.subscribe(listener, afterId),
    },
  };
}

/** What a check of a chain is called: the first chain's as it is, another's with the chain's id. */
export const checkName = (name: string, chainId: number | null, first: number): string =>
  chainId === null || chainId === first ? name : `${name} ${chainId}`;

/**
 * A job of a chain carries its id, which is also in the name of its lock: instances that follow other chains may share the
 * database. Checks of the first chain keep their names.
 */
function gathered(
  parts: readonly Part[],
  services: OpenedFeatures["services"],
  first: number,
): OpenedFeatures {
  const named = (name: string, chainId: number | null) => (chainId === null ? name : `${name} ${chainId}`);
  const checks = parts.flatMap(({ chainId, opened }) =>
    Object.entries(opened.checks ?? {}).map(([name, check]) => ({
      name: checkName(name, chainId, first),
      chainId,
      check,
    })),
  );
  const jobs = parts.flatMap(({ chainId, opened }) =>
    (opened.jobs ?? []).map((job) => ({
      ...job,
      name: named(job.name, chainId),
      runsOnAnyClock: jobsOnAnyClock.has(job.name),
      run: () => job.run(),
    })),
  );
  assertUnique("job", jobs);
  assertUnique("check", checks);
  assertOneSeller(parts);
  const on = (chainId: number) => parts.filter((part) => part.chainId === chainId);
  return {
    services,
    jobs,
    checks: Object.fromEntries(checks.map(({ name, check }) => [name, check])),
    chainOfCheck: Object.fromEntries(
      checks.flatMap(({ name, chainId }) => (chainId === null ? [] : [[name, chainId]])),
    ),
    handlers: (chainId) => on(chainId).flatMap(({ opened }) => opened.handlers ?? []),
    listeners: (chainId) => on(chainId).flatMap(({ opened }) => opened.onNewRun ?? []),
    pricing: (chainId) =>
      parts.find((part) => part.opened.pricing && (part.chainId ?? chainId) === chainId)?.opened.pricing ??
      null,
    async close() {
      for (const { opened } of parts.toReversed()) await opened.close?.();
    },
  };
}

/** Of two sellers on a chain one would never be paid. */
function assertOneSeller(parts: readonly Part[]): void {
  const sellers = parts.filter(({ opened }) => opened.pricing);
  const twice = sellers.find(({ chainId }, at) =>
    sellers
      .slice(0, at)
      .some((other) => other.chainId === chainId || other.chainId === null || chainId === null),
  );
  if (twice) throw new Error("two features take payments for priced actions: only one may");
}

/** Two jobs of one name would share a lock, and of two checks one would hide the other. */
function assertUnique(what: string, named: readonly { name: string }[]): void {
  const twice = named.find(({ name }, at) => named.findIndex((other) => other.name === name) < at);
  if (twice) throw new Error(`two features have a ${what} called ${twice.name}`);
}
