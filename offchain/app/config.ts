import { isDeepStrictEqual } from "node:util";
import type { AnyFeature } from "#offchain/platform/feature.ts";
import { secretsOfUrl } from "#offchain/platform/observe/secrets.ts";
import type { Setting, ValuesOf } from "#offchain/platform/settings.ts";
import { features as ours } from "./features.ts";
import { chainSettings, settings } from "./settings.ts";

type GroupsOf<Groups> = { readonly [Name in keyof Groups]: ValuesOf<Groups[Name]> };

/** The settings of the features of one scope, by feature. */
type FeatureSettings<Scope> = {
  readonly [F in (typeof ours)[number] as F["scope"] extends Scope ? F["name"] : never]: ValuesOf<
    F["settings"]
  >;
};

/** What is said of one chain: by its own variables, and by those of all chains where it has none. */
export type ChainConfig = GroupsOf<typeof chainSettings> & {
  readonly chainId: number;
  /** Those that are opened on each chain. */
  readonly features: FeatureSettings<"chain">;
};

/** Everything that the environment decides, typed, checked once and frozen. Units stand last in the names. */
export type Config = Omit<GroupsOf<typeof settings>, "chains"> & {
  /** Those that are opened once. */
  readonly features: FeatureSettings<"service">;
  /** Every chain that is followed; the first is meant where nothing else is said. */
  readonly chains: readonly [ChainConfig, ...ChainConfig[]];
};

export interface ConfigFault {
  variable: string;
  rule: string;
  got: string;
}

/** Every bad variable with its rule, at once. Values of secret variables are not repeated. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ variable, rule, got }) => `  ${variable}: ${rule} (got ${got})`);
    super(`the environment is not usable:\n${lines.join("\n")}`);
    this.faults = faults;
  }
}

interface Row {
  group: string;
  key: string;
  setting: Setting<unknown>;
}

const rowsOf = (groups: Readonly<Record<string, object>>): Row[] =>
  Object.entries(groups).flatMap(([group, entries]) =>
    Object.entries(entries).map(([key, setting]) => ({ group, key, setting: setting as Setting<unknown> })),
  );
const featureRows = (features: readonly AnyFeature[], scope: AnyFeature["scope"]): Row[] =>
  rowsOf(
    Object.fromEntries(
      features.filter((each) => each.scope === scope).map((each) => [each.name, each.settings]),
    ),
  );

/** What is read once, and what is read for each chain. */
function rowsBy(features: readonly AnyFeature[]) {
  return {
    service: rowsOf(settings),
    serviceFeatures: featureRows(features, "service"),
    chain: rowsOf(chainSettings),
    chainFeatures: featureRows(features, "chain"),
  };
}

const all = rowsBy(ours);

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment into a {@link Config}. An empty variable counts as absent.
 * @throws ConfigError naming every variable that breaks its rule.
 */
export function readConfig(environment: Environment, features: readonly AnyFeature[] = ours): Config {
  assertNames(features);
  const rows = rowsBy(features);
  const reader = new Reader(environment);
  const { chains: followed, ...own } = reader.groups(rows.service, null) as unknown as GroupsOf<
    typeof settings
  >;
  const ofService = reader.groups(rows.serviceFeatures, null, features);
  const chains = reader.chainIds(followed).map((chainId, at) => {
    const place = { chainId, isFirst: at === 0 };
    const ofChain = reader.groups(rows.chainFeatures, place, features);
    return Object.freeze({ chainId, ...reader.groups(rows.chain, place), features: ofChain });
  });
  if (reader.faults.size > 0) throw new ConfigError([...reader.faults.values()]);
  return Object.freeze({ ...own, features: ofService, chains: Object.freeze(chains) }) as unknown as Config;
}

/** @throws Error when a feature's settings would take the place of the service's own group of that name, or of another's */
function assertNames(features: readonly AnyFeature[]): void {
  const taken = new Set([...Object.keys(settings), ...Object.keys(chainSettings), "features"]);
  for (const { name } of features) {
    if (taken.has(name)) throw new Error(`a feature cannot be called ${name}: settings of that name exist`);
    taken.add(name);
  }
}

type Groups = Record<string, Record<string, unknown>>;

/** The chain whose settings are read. */
interface Place {
  readonly chainId: number;
  readonly isFirst: boolean;
}

/** `BURSAR_RPC_URL_31338`: what says a setting for one chain. */
const ofChain = (variable: string, chainId: number) => `${variable}_${chainId}`;

class Reader {
  readonly #environment: Environment;
  /** By variable: one that all chains read is told once. */
  readonly faults = new Map<string, ConfigFault>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @param features those that have a group also if they have no setting */
  groups(rows: readonly Row[], place: Place | null, features: readonly AnyFeature[] = []): Groups {
    const groups: Groups = Object.fromEntries(features.map(({ name }) => [name, {}]));
    for (const { group, key, setting } of rows) {
      groups[group] ??= {};
      groups[group][key] = this.#value(setting, place);
    }
    for (const group of Object.values(groups)) Object.freeze(group);
    return Object.freeze(groups);
  }

  /** The chains that are followed; none if they cannot be read, which is a fault already. */
  chainIds({ first, others }: ValuesOf<(typeof settings)["chains"]>): readonly number[] {
    const ids = [first, ...(others ?? [])];
    const twice = ids.find((id, at) => ids.indexOf(id) < at);
    if (twice !== undefined)
      this.#fault(
        "BURSAR_OTHER_CHAINS",
        `must name each chain once, and not the one of BURSAR_CHAIN_ID`,
        `${twice} again`,
      );
    return this.faults.has("BURSAR_CHAIN_ID") ? [] : [...new Set(ids)];
  }

  #value(setting: Setting<unknown>, place: Place | null): unknown {
    const { variable, text } = this.#said(setting, place);
    const parsed = setting.schema.safeParse(text);
    if (parsed.success) return parsed.data;
    const isMissing = text === undefined;
    const rule = isMissing ? "must be set" : parsed.error.issues.map(({ message }) => message).join("; ");
    this.#fault(variable, rule, shown(setting, text));
    return undefined;
  }

  /** The variable that decides, with its text or the default's. */
  #said(setting: Setting<unknown>, place: Place | null): { variable: string; text: string | undefined } {
    const { variable, fallback, elsewhere } = setting;
    const inEnvironment = (name: string) => this.#environment[name]?.trim() || undefined;
    if (place) {
      const own = ofChain(variable, place.chainId);
      const text = inEnvironment(own);
      if (text !== undefined) return { variable: own, text };
      if (elsewhere && !place.isFirst) return { variable: own, text: elsewhere.fallback };
    }
    return { variable, text: inEnvironment(variable) ?? fallback };
  }

  #fault(variable: string, rule: string, got: string): void {
    this.faults.set(variable, { variable, rule, got });
  }
}

/** `BURSAR_` variables that are no setting of the service: most likely misspelt, worth a warning. */
export function unknownVariables(environment: Environment, { chains }: Pick<Config, "chains">): string[] {
  const ofService = [...all.service, ...all.serviceFeatures].map(({ setting }) => setting.variable);
  const ofChains = [...all.chain, ...all.chainFeatures].flatMap(({ setting: { variable } }) => [
    variable,
    ...chains.map(({ chainId }) => ofChain(variable, chainId)),
  ]);
  const known = new Set([...ofService, ...ofChains]);
  return Object.keys(environment).filter((name) => name.startsWith("BURSAR_") && !known.has(name));
}

function shown(setting: Setting<unknown>, text: string | undefined): string {
  if (text === undefined) return "nothing";
  return setting.secret ? "a secret value" : JSON.stringify(text.slice(0, 80));
}

interface Entry {
  /** The variable that says it, with the chain's id where the chain has another value than the first. */
  readonly variable: string;
  readonly setting: Setting<unknown>;
  readonly value: unknown;
}

/** Every setting with its value; those of a further chain where they differ from the first's. */
function entriesOf({ features, chains, ...own }: Config): Entry[] {
  const followed = { first: chains[0].chainId, others: chains.slice(1).map(({ chainId }) => chainId) };
  const [first, ...others] = chains;
  return [
    ...entries(all.service, { ...own, chains: followed }),
    ...entries(all.serviceFeatures, features),
    ...entriesOfChain(first),
    ...others.flatMap((chain) => {
      const usual = entriesOfChain(first);
      return entriesOfChain(chain).flatMap((entry, at) =>
        isDeepStrictEqual(entry.value, usual[at]?.value)
          ? []
          : { ...entry, variable: ofChain(entry.variable, chain.chainId) },
      );
    }),
  ];
}

const entriesOfChain = ({ features, ...groups }: ChainConfig): Entry[] => [
  ...entries(all.chain, groups),
  ...entries(all.chainFeatures, features),
];

const entries = (rows: readonly Row[], groups: object): Entry[] =>
  rows.map(({ group, key, setting }) => ({
    variable: setting.variable,
    setting,
    value: (groups as Groups)[group]?.[key],
  }));

/** The configuration by variable name for a log line or a start-up summary; secrets are redacted. */
export const printableConfig = (config: Config): Record<string, string> =>
  Object.fromEntries(
    entriesOf(config).map(({ variable, setting, value }) => [variable, printable(setting, value)]),
  );

function printable(setting: Setting<unknown>, value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return setting.fallback ? "none" : "(unset)";
  if (value === undefined || value === null) return "(unset)";
  if (setting.secret === "whole") return "(redacted)";
  if (setting.secret === "password") return withoutPassword(String(value));
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** Every secret of the configuration, for what must not tell any. */
export const secretsOf = (config: Config): string[] =>
  entriesOf(config).flatMap(({ setting, value }) => {
    if (!setting.secret || value === undefined || value === null) return [];
    return setting.secret === "password" ? secretsOfUrl(String(value)) : textsIn(value);
  });

/** A value's texts; an address's own secrets, where it is one. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return URL.canParse(value) ? secretsOfUrl(value) : [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function withoutPassword(address: string): string {
  const url = new URL(address);
  if (url.password) url.password = "redacted";
  for (const name of [...url.searchParams.keys()])
    if (/password|key|token|secret/i.test(name)) url.searchParams.set(name, "redacted");
  if (/^https?:|^wss?:/.test(address) && url.pathname.length > 1) url.pathname = "/redacted";
  return url.href;
}

/** The table of `--help`: variable, default, meaning with its rule. */
export function describeConfig(): string {
  const rows = [...all.service, ...all.serviceFeatures, ...all.chain, ...all.chainFeatures];
  const cells = rows.map(({ setting }) => [setting.variable, setting.fallback ?? "(unset)", setting.words]);
  const width = (column: number) => Math.max(...cells.map((cell) => (cell[column] ?? "").length));
  const [first, second] = [width(0), width(1)];
  return cells
    .map(([variable = "", fallback = "", words = ""]) =>
      `${variable.padEnd(first)}  ${fallback.padEnd(second)}  ${words}`.trimEnd(),
    )
    .join("\n");
}
