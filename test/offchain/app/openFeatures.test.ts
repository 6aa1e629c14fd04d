import { expect, it } from "vitest";
import type { Config } from "#offchain/app/config.ts";
import { openFeatures } from "#offchain/app/openFeatures.ts";
import type { Platform } from "#offchain/app/platform.ts";
import type { OpenedChain } from "#offchain/platform/chain/chain.ts";
import { type AnyFeature, chainFeature, serviceFeature } from "#offchain/platform/feature.ts";

/** Features that use nothing of the platform: only how they are opened matters. */
const quiet = { child: () => quiet } as unknown as Platform["log"];
const platform = { metrics: {}, log: quiet } as Platform;
const chainsOf = (...ids: number[]) => ids.map((chainId) => ({ chainId }) as OpenedChain);
const open = (features: readonly AnyFeature[], chains = chainsOf(1, 2), config: object = {}) =>
  openFeatures(features, { features: {}, chains: [], ...config } as unknown as Config, platform, chains);

const idle = async () => {};
const never = () => Promise.reject(new Error("nothing is sold"));
const lower = serviceFeature({
  name: "lower",
  open: () => ({
    service: "low",
    jobs: [{ name: "tidy", everyMs: 1, run: idle }],
    checks: { lower: async () => ({}) },
  }),
});
const higher = chainFeature({
  name: "higher",
  open: ({ chain }, { lower: below }: { lower: string }) => ({
    service: `${below} on ${chain.chainId}`,
    jobs: [{ name: "follow", everyMs: 1, isExclusive: true, run: idle }],
    checks: { higher: async () => ({}) },
    onNewRun: [idle],
  }),
});

it("opens a feature of the service once, one of a chain on each, after what they use", async () => {
  const { services } = await open([lower, higher]);
  expect([...services]).toEqual([
    [1, { lower: "low", higher: "low on 1" }],
    [2, { lower: "low", higher: "low on 2" }],
  ]);
});

it("names a chain's jobs by its id, for their locks are shared, and the first chain's checks plainly", async () => {
  const { jobs, checks, chainOfCheck } = await open([lower, higher]);
  expect(jobs.map(({ name, isExclusive = false }) => [name, isExclusive])).toEqual([
    ["tidy", false],
    ["follow 1", true],
    ["follow 2", true],
  ]);
  expect(Object.keys(checks)).toEqual(["lower", "higher", "higher 2"]);
  expect(chainOfCheck).toEqual({ higher: 1, "higher 2": 2 });
});

it("refuses two jobs, or two checks, of one name", async () => {
  const like = (opened: object) =>
    serviceFeature({ name: "like", open: () => ({ service: null, ...opened }) });
  const tidy = like({ jobs: [{ name: "tidy", everyMs: 1, run: idle }] });
  await expect(open([lower, tidy])).rejects.toThrow("two features have a job called tidy");
  const checked = like({ checks: { lower: async () => ({}) } });
  await expect(open([lower, checked])).rejects.toThrow("two features have a check called lower");
});

it("knows who sells on each chain, and that nobody does where no feature takes payments", async () => {
  const shops = chainFeature({
    name: "shops",
    open: ({ chain }) => ({
      service: null,
      pricing: { feature: "shops", prices: new Map([[`sold on ${chain.chainId}`, 1]]), sell: never },
    }),
  });
  const opened = await open([lower, shops]);
  expect([1, 2, 3].map((id) => [...(opened.pricing(id)?.prices.keys() ?? [])])).toEqual([
    ["sold on 1"],
    ["sold on 2"],
    [],
  ]);
  expect((await open([lower, higher])).pricing(1)).toBeNull();
});

it("gives each chain its own listeners", async () => {
  const opened = await open([lower, higher]);
  expect([1, 2, 3].map((id) => opened.listeners(id).length)).toEqual([1, 1, 0]);
  expect(opened.handlers(1)).toEqual([]);
});

it("hands each feature its own settings, on a chain that chain's", async () => {
  const seen: unknown[] = [];
  const see = ({ settings }: { settings: unknown }) => ({ service: seen.push(settings) });
  const curious = serviceFeature({ name: "curious", open: see });
  const local = chainFeature({ name: "local", open: see });
  await open([curious, local], chainsOf(1, 2), {
    features: { curious: { max: 3 }, other: { max: 4 } },
    chains: [
      { chainId: 1, features: { local: { price: 1 } } },
      { chainId: 2, features: { local: { price: 2 } } },
    ],
  });
  expect(seen).toEqual([{ max: 3 }, { price: 1 }, { price: 2 }]);
});

it("says with what a feature tells the live stream which chain it is of", async () => {
  const told: unknown[] = [];
  const bus = { publish: (event: unknown) => void told.push(event) } as unknown as Platform["bus"];
  const telling = chainFeature({
    name: "telling",
    open: (context) => ({ service: context.bus.publish({ type: "greeting" }) }),
  });
  const chains = chainsOf(1, 2);
  await openFeatures(
    [telling],
    { features: {}, chains: [] } as unknown as Config,
    { ...platform, bus },
    chains,
  );
  expect(told).toEqual([
    { type: "greeting", chainId: 1 },
    { type: "greeting", chainId: 2 },
  ]);
});

it("closes them the other way round", async () => {
  const closed: string[] = [];
  const closing = (name: string) =>
    serviceFeature({ name, open: () => ({ service: name, close: async () => void closed.push(name) }) });
  const opened = await open([closing("first"), closing("second")]);
  await opened.close();
  expect(closed).toEqual(["second", "first"]);
});

it("is not opened without a chain", async () => {
  await expect(open([], [])).rejects.toThrow("there is no chain");
});

it("says which feature is missing, or stands too late in the list", async () => {
  await expect(open([higher, lower])).rejects.toThrow(
    "the feature higher needs lower, which must stand before it in the list",
  );
});

it("refuses a feature without a chain that handles a chain's events", async () => {
  const late = serviceFeature({ name: "late", open: () => ({ service: "", onNewRun: [idle] }) });
  await expect(open([late])).rejects.toThrow("the feature late handles a chain's events");
});

it("refuses two sellers on one chain", async () => {
  const seller = (name: string) =>
    chainFeature({
      name,
      open: () => ({ service: "", pricing: { feature: name, prices: new Map(), sell: never } }),
    });
  await expect(open([seller("one"), seller("two")])).rejects.toThrow("two features take payments");
});
