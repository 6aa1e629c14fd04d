import type { AnyFeature } from "#offchain/platform/feature.ts";
import { secretsOfUrl } from "#offchain/platform/observe/secrets.ts";
import type { Setting, ValuesOf } from "#offchain/platform/settings.ts";
import { features as ours } from "./features.ts";
import { settings } from "./settings.ts";

type FeatureSettings = {
  readonly [F in (typeof ours)[number] as F["name"]]: ValuesOf<F["settings"]>;
};

/** Everything that the environment decides, typed, checked once and frozen. Units stand last in the names. */
export type Config = { readonly [Group in keyof typeof settings]: ValuesOf<(typeof settings)[Group]> } & {
  /** By feature. */
  readonly features: FeatureSettings;
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

const rowsOf = (group: string, entries: object): Row[] =>
  Object.entries(entries).map(([key, setting]) => ({ group, key, setting: setting as Setting<unknown> }));

const serviceRows = Object.entries(settings).flatMap(([group, entries]) => rowsOf(group, entries));
const rowsOfFeatures = (features: readonly AnyFeature[]) =>
  features.flatMap(({ name, settings: entries }) => rowsOf(name, entries));
const rows: readonly Row[] = [...serviceRows, ...rowsOfFeatures(ours)];

/**
 * Reads the environment into a {@link Config}. An empty variable counts as absent.
 * @throws ConfigError naming every variable that breaks its rule.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  features: readonly AnyFeature[] = ours,
): Config {
  assertNames(features);
  const faults: ConfigFault[] = [];
  const own = readRows(serviceRows, environment, faults);
  const ofFeatures = readRows(rowsOfFeatures(features), environment, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  for (const { name } of features) ofFeatures[name] ??= {};
  for (const group of [...Object.values(own), ...Object.values(ofFeatures)]) Object.freeze(group);
  return Object.freeze({ ...own, features: Object.freeze(ofFeatures) }) as unknown as Config;
}

/** @throws Error when a feature's settings would take the place of the service's own group of that name, or of another's */
function assertNames(features: readonly AnyFeature[]): void {
  const taken = new Set([...Object.keys(settings), "features"]);
  for (const { name } of features) {
    if (taken.has(name)) throw new Error(`a feature cannot be called ${name}: settings of that name exist`);
    taken.add(name);
  }
}

type Groups = Record<string, Record<string, unknown>>;

function readRows(
  wanted: readonly Row[],
  environment: Readonly<Record<string, string | undefined>>,
  faults: ConfigFault[],
): Groups {
  const groups: Groups = {};
  for (const { group, key, setting } of wanted) {
    const text = environment[setting.variable]?.trim() || setting.fallback;
    const parsed = setting.schema.safeParse(text);
    groups[group] ??= {};
    groups[group][key] = parsed.data;
    if (parsed.success) continue;
    const rule = parsed.error.issues.map((issue) => issue.message).join("; ");
    faults.push({ variable: setting.variable, rule, got: shown(setting, text) });
  }
  return groups;
}

/** `BURSAR_` variables that are no setting of the service: most likely misspelt, worth a warning. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set(rows.map(({ setting }) => setting.variable));
  return Object.keys(environment).filter((name) => name.startsWith("BURSAR_") && !known.has(name));
}

function shown(setting: Setting<unknown>, text: string | undefined): string {
  if (text === undefined) return "nothing";
  return setting.secret ? "a secret value" : JSON.stringify(text.slice(0, 80));
}

/** The configuration by variable name for a log line or a start-up summary; secrets are redacted. */
export function printableConfig(config: Config): Record<string, string> {
  const groups = { ...config, ...config.features } as unknown as Groups;
  return Object.fromEntries(
    rows.map(({ group, key, setting }) => [setting.variable, printable(setting, groups[group]?.[key])]),
  );
}

function printable(setting: Setting<unknown>, value: unknown): string {
  if (Array.isArray(value) && value.length === 0) return setting.fallback ? "none" : "(unset)";
  if (value === undefined || value === null) return "(unset)";
  if (setting.secret === "whole") return "(redacted)";
  if (setting.secret === "password") return withoutPassword(String(value));
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** Every secret of the configuration, for what must not tell any. */
export function secretsOf(config: Config): string[] {
  const groups = { ...config, ...config.features } as unknown as Groups;
  return rows.flatMap(({ group, key, setting }) => {
    const value = groups[group]?.[key];
    if (!setting.secret || value === undefined || value === null) return [];
    return setting.secret === "password" ? secretsOfUrl(String(value)) : textsIn(value);
  });
}

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
  const cells = rows.map(({ setting }) => [setting.variable, setting.fallback ?? "(unset)", setting.words]);
  const width = (column: number) => Math.max(...cells.map((cell) => (cell[column] ?? "").length));
  const [first, second] = [width(0), width(1)];
  return cells
    .map(([variable = "", fallback = "", words = ""]) =>
      `${variable.padEnd(first)}  ${fallback.padEnd(second)}  ${words}`.trimEnd(),
    )
    .join("\n");
}
