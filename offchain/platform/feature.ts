import type { Action } from "#offchain/core/action.ts";
import type { Pricing } from "#offchain/core/call/pricing.ts";
import type { Clock } from "#offchain/core/clock.ts";
import type { Chain } from "./chain/chain.ts";
import type { DeclaredContract } from "./chain/contracts/known.ts";
import type { Handler } from "./chain/event.ts";
import type { RunListener } from "./chain/indexer/options.ts";
import type { Recovery } from "./chain/signatures/recovery.ts";
import type { Sql } from "./database/database.ts";
import type { Job } from "./jobs/job.ts";
import type { Bus } from "./observe/bus.ts";
import type { HealthCheck } from "./observe/health.ts";
import type { Log } from "./observe/log.ts";
import type { MetricsBuilder } from "./observe/metrics.ts";
import type { Settings, ValuesOf } from "./settings.ts";

/** What every feature is opened with. */
export interface Context<Values, Metrics> {
  readonly clock: Clock;
  readonly log: Log;
  readonly sql: Sql;
  readonly bus: Bus;
  readonly recovery: Recovery;
  readonly settings: Values;
  readonly metrics: Metrics;
  /** The first configured chain: what is meant where nothing else is said. */
  readonly defaultChainId: number;
}

/** What a chain-bound feature is opened with, once for each chain. */
export interface ChainContext<Values, Metrics> extends Context<Values, Metrics> {
  readonly chain: Chain;
}

/** A feature at work. */
export interface Opened<Service> {
  readonly service: Service;
  /** What the chain's events do; chain-bound features only. */
  readonly handlers?: readonly Handler[];
  /** Told inside the transaction that ends one run of the chain and begins the next; chain-bound features only. */
  readonly onNewRun?: readonly RunListener[];
  readonly jobs?: readonly Job[];
  readonly checks?: Readonly<Record<string, HealthCheck>>;
  /** Takes the payments for priced actions; one feature at most. */
  readonly pricing?: Pricing;
  close?(): Promise<void>;
}

interface Declared<Name extends string, Group extends Settings, Metrics, Service> {
  readonly name: Name;
  readonly settings: Group;
  /** Folder of its `NNNN_name.sql`; absent when it has no tables. */
  readonly migrations?: URL;
  readonly actions: readonly Action<Service>[];
  /** The contracts it works with: whose calls, events and errors are read. */
  readonly contracts: readonly DeclaredContract[];
  /** Its figures at `/metrics`, made once however many chains there are. */
  metrics(builder: MetricsBuilder): Metrics;
}

/** A feature that is opened once. `Needs` are the services of other features, by name. */
export interface ServiceFeature<Name extends string, Group extends Settings, Metrics, Needs, Service>
  extends Declared<Name, Group, Metrics, Service> {
  readonly scope: "service";
  open(context: Context<ValuesOf<Group>, Metrics>, needs: Needs): Opened<Service> | Promise<Opened<Service>>;
}

/** A feature that is opened on each chain: its rows, jobs and events belong to one. */
export interface ChainFeature<Name extends string, Group extends Settings, Metrics, Needs, Service>
  extends Declared<Name, Group, Metrics, Service> {
  readonly scope: "chain";
  open(
    context: ChainContext<ValuesOf<Group>, Metrics>,
    needs: Needs,
  ): Opened<Service> | Promise<Opened<Service>>;
}

/** Any feature, as it is opened: which settings, services and figures it has does not matter. */
export type AnyFeature =
  | ServiceFeature<string, Settings, unknown, object, unknown>
  | ChainFeature<string, Settings, unknown, object, unknown>;

type Optional = "settings" | "metrics" | "actions" | "contracts";

/** What a feature may leave out of its declaration. */
type Declaration<Feature, Actions> = Omit<Feature, Optional | "scope"> &
  Partial<Pick<Feature, Extract<Optional, keyof Feature>>> & { readonly actions?: Actions };

/** Declares a feature that is opened once. */
export function serviceFeature<
  const Name extends string,
  Service,
  const Actions extends readonly Action<Service>[] = readonly [],
  Group extends Settings = Readonly<Record<never, never>>,
  Metrics = undefined,
  Needs = object,
>(declaration: Declaration<ServiceFeature<Name, Group, Metrics, Needs, Service>, Actions>) {
  return { ...complete, scope: "service", ...declaration } as unknown as ServiceFeature<
    Name,
    Group,
    Metrics,
    Needs,
    Service
  > & { readonly actions: Actions };
}

/** Declares a feature that is opened on each chain. */
export function chainFeature<
  const Name extends string,
  Service,
  const Actions extends readonly Action<Service>[] = readonly [],
  Group extends Settings = Readonly<Record<never, never>>,
  Metrics = undefined,
  Needs = object,
>(declaration: Declaration<ChainFeature<Name, Group, Metrics, Needs, Service>, Actions>) {
  return { ...complete, scope: "chain", ...declaration } as unknown as ChainFeature<
    Name,
    Group,
    Metrics,
    Needs,
    Service
  > & { readonly actions: Actions };
}

const complete = { settings: {}, actions: [], contracts: [], metrics: () => undefined };
