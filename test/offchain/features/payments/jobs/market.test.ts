import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openMarket } from "#offchain/features/payments/jobs/market.ts";
import { createLog } from "#offchain/platform/observe/log.ts";

/** The vendor of the forecast, on a port of its own. */
let vendor: Server;
let url: string;
let asked: (string | undefined)[];
let isVendorAway: boolean;

const noon = Date.UTC(2026, 2, 4, 12);
const clock = { at: noon, now: () => clock.at };
/** What eth_feeHistory answers: the base fees of some blocks and of the next, and each block's median tip. */
let fees: { baseFeePerGas: bigint[]; reward?: bigint[][] } | null;
let wanted: unknown[];
let warnings: { message: string }[];

beforeAll(async () => {
  vendor = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(isVendorAway ? 503 : 200, { "content-type": "application/json" });
    const data = [1_000, 2_000, 3_000].map((value, at) => ({
      point_time: new Date(noon + at * 3_600_000).toISOString(),
      value,
    }));
    response.end(JSON.stringify({ data, meta: { units: "lbs_co2_per_mwh" } }));
  }).listen(0, "127.0.0.1");
  await new Promise((done) => vendor.once("listening", done));
  url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v3/forecast`;
});
afterAll(() => void vendor?.close());

beforeEach(() => {
  [asked, wanted, warnings] = [[], [], []];
  isVendorAway = false;
  clock.at = noon;
  fees = { baseFeePerGas: [10n, 30n, 20n, 50n], reward: [[1n], [3n], [2n]] };
});

function open(settings: { gridForecastUrl?: string; gridToken?: string; nativePrice?: bigint } = {}) {
  const reader = {
    getFeeHistory: async (question: unknown) => {
      wanted.push(question);
      if (!fees) throw new Error("the provider is away");
      return fees;
    },
  };
  const destination = { write: (line: string) => void warnings.push(JSON.parse(line)) };
  return openMarket({
    chain: { client: { reader } },
    clock,
    log: createLog({ level: "warn", clock, destination }),
    settings: { gasHistoryBlocks: 3, gridRefreshMs: 300_000, ...settings },
  } as unknown as Parameters<typeof openMarket>[0]);
}

const told = () => warnings.map(({ message }) => message);

test("the price of gas is the next block's base fee and tip beside the median of the last blocks", async () => {
  // Next 50, median of 10, 20, 30 is 20; the median tip is 2.
  expect(await open().gas()).toEqual({ now: 52n, median: 22n });
  expect(wanted).toEqual([{ blockCount: 3, rewardPercentiles: [50] }]);
});

test("the price of gas is believed for two seconds and not a millisecond longer", async () => {
  const { gas } = open();
  await gas();
  fees = { baseFeePerGas: [1n, 1n, 1n, 1n] };
  clock.at = noon + 1_999;
  expect((await gas())?.now).toBe(52n);
  clock.at = noon + 2_000;
  expect(await gas()).toEqual({ now: 1n, median: 1n });
  expect(wanted).toHaveLength(2);
});

test("a provider that is away is told and no reason to wait: the price is not known", async () => {
  const { gas } = open();
  fees = null;
  expect(await gas()).toBeNull();
  expect(told()).toEqual(["the price of gas is not known; nothing waits for it"]);
  fees = { baseFeePerGas: [1n, 1n] };
  expect(await gas(), "not asked again at once").toBeNull();
  clock.at = noon + 2_000;
  expect(await gas()).toEqual({ now: 1n, median: 1n });
});

test("the grid's forecast is asked for with its token, and again only when it is old", async () => {
  const { energy } = open({ gridForecastUrl: url, gridToken: "secret" });
  // 1 000 and 2 000 lb/MWh, of which 1 lb/MWh is 453.59237 mg/kWh.
  const reading = { now: 453_592n, median: 907_185n };
  expect(await energy()).toEqual(reading);
  clock.at = noon + 299_999;
  expect(await energy()).toEqual(reading);
  expect(asked).toEqual(["Bearer secret"]);
  clock.at = noon + 3_600_000;
  expect(await energy()).toEqual({ now: 907_185n, median: 907_185n });
  expect(asked).toHaveLength(2);
});

test("a vendor that is away stops no money: the forecast is not known, and that is told", async () => {
  const { energy, gas } = open({ gridForecastUrl: url });
  isVendorAway = true;
  expect(await energy()).toBeNull();
  expect(told()).toEqual(["the grid's forecast is not known; nothing waits for it"]);
  expect(await gas()).not.toBeNull();
});

test("without an address nobody is asked for a forecast, and nothing is missed", async () => {
  expect(await open().energy()).toBeNull();
  expect([asked, told()]).toEqual([[], []]);
});

test("gas is weighed only against a price of the native token that somebody set", () => {
  expect(open().nativePrice).toBeNull();
  expect(open({ nativePrice: 1_000_000n }).nativePrice).toBe(1_000_000n);
});
