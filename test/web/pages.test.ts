import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext } from "playwright-core";
import { type Hex, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { demoAccount } from "#offchain/demo/accounts.ts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { signRequests } from "#offchain/sdk/http/request.ts";
import { launchBrowser } from "../../scripts/stack/browser.ts";
import { eventually } from "./support/browser.ts";
import { SolvencyPage } from "./support/pages.ts";
import { injectWallet } from "./support/provider.ts";
import { type Stack, startStack } from "./support/stack.ts";

const pictures = fileURLToPath(new URL("../../data/screenshots", import.meta.url));
const chainId = 31337;
const themes = ["light", "dark"] as const;
/** Routes by name; what stands in braces is filled with something that exists. */
const routes = {
  overview: "/",
  approvals: "/approvals",
  proposal: "/approvals/{proposalId}",
  payments: "/payments",
  receipt: "/payments/{paymentId}",
  batch: "/batches/{batchId}",
  wallets: "/wallets",
  wallet: "/wallets/{address}",
  solvency: "/solvency",
  unknown: "/nowhere",
} as const;
type RouteName = keyof typeof routes;
const names = Object.keys(routes) as RouteName[];

let stack: Stack;
let browser: Browser;
let known: Readonly<Record<string, string>>;

beforeAll(async () => {
  stack = await startStack();
  browser = await launchBrowser();
  known = await someOfEach(createClient({ url: stack.apiUrl }));
  await mkdir(pictures, { recursive: true });
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

/** Something of each kind that the demo economy has made by now. */
async function someOfEach(service: Client): Promise<Record<string, string>> {
  return eventually("the demo economy is at work", async () => {
    const [proposals, payments, wallets] = await Promise.all([
      service.treasury.proposals({ limit: 1 }),
      service.payments.list({ limit: 1 }),
      service.wallets.list(),
    ]);
    const [proposal, payment] = [proposals.items[0], payments.items[0]];
    const agent = wallets.items.find(({ kind }) => kind === "agent");
    if (!proposal || !payment || !agent) return null;
    return {
      proposalId: proposal.proposalId,
      paymentId: payment.paymentId,
      batchId: payment.batchId,
      address: agent.address,
    };
  });
}

const urlOf = (name: RouteName): string =>
  new URL(
    routes[name].replace(/\{(\w+)\}/, (_, key: string) => known[key] ?? ""),
    stack.webUrl,
  ).href;

async function openPage(context: BrowserContext, name: RouteName) {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && hostname !== "127.0.0.1" && hostname !== "localhost")
      complaints.push(`asked ${hostname}`);
  });
  await page.goto(urlOf(name));
  await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });
  // The stream keeps a connection open, so "loaded" is: no placeholder is left.
  await page.locator("[aria-busy=true]").first().waitFor({ state: "detached" });
  return { page, complaints };
}

describe.each(themes)("in the %s theme", (theme) => {
  // One for all pages: what a browser keeps of the first it need not load for the others.
  let context: BrowserContext;
  beforeAll(async () => {
    context = await browser.newContext({ colorScheme: theme, viewport: { width: 1440, height: 900 } });
  });
  afterAll(() => context.close());

  test.each(names)(
    "%s breaks no rule of WCAG 2.2 AA, throws nothing and asks nobody outside",
    async (name) => {
      const { page, complaints } = await openPage(context, name);
      await page.screenshot({ path: `${pictures}/${name}-${theme}.png`, fullPage: true });
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual(
        [],
      );
      expect(complaints).toEqual([]);
      await page.close();
    },
  );
});

describe("at every width", () => {
  const [narrowest = 0, ...wider] = [360, 768, 3840];
  let context: BrowserContext;
  beforeAll(async () => {
    context = await browser.newContext({ viewport: { width: narrowest, height: 900 } });
  });
  afterAll(() => context.close());

  test.each(names)(
    "%s does not scroll sideways, from the narrowest phone to the widest screen",
    async (name) => {
      const { page } = await openPage(context, name);
      for (const width of [narrowest, ...wider]) {
        await page.setViewportSize({ width, height: 900 });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${width} px`).toBeLessThanOrEqual(0);
        // Of the widest screen the first sight is enough: all of a long page would be a hundred megapixels.
        await page.screenshot({ path: `${pictures}/${name}-${width}.png`, fullPage: width < 3840 });
      }
      await page.close();
    },
  );
});

test.each(["overview", "payments"] as const)(
  "%s does not jump on a phone when its answers come late",
  async (name) => {
    const context = await browser.newContext({ viewport: { width: 360, height: 740 } });
    try {
      await context.addInitScript(() => {
        const seen = { shift: 0, by: [] as string[] };
        Object.assign(window, { seen });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as unknown as {
            value: number;
            sources: { node: Element | null }[];
          }[]) {
            seen.shift += entry.value;
            const moved = entry.sources.map(({ node }) => node?.textContent?.slice(0, 40) ?? "");
            seen.by.push(`${entry.value.toFixed(3)} ${moved.join(" / ")}`);
          }
        }).observe({ type: "layout-shift", buffered: true });
      });
      await context.route(/\/api\/v1\/(?!stream)/, async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 700));
        await route.continue().catch(() => {});
      });
      const { page } = await openPage(context, name);
      await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
      const { shift, by } = await page.evaluate(
        () => (window as unknown as { seen: { shift: number; by: string[] } }).seen,
      );
      expect(shift, by.join("\n")).toBeLessThanOrEqual(0.05);
      await page.screenshot({ path: `${pictures}/${name}-settled-360.png` });
    } finally {
      await context.close();
    }
  },
);

/** A page that asks anew, or is closed, waits for no former answer: a request that it gave up cannot be answered. */
const givenUp = () => {};

test("the overview says how fresh it is, and payments stream in without a reload", async () => {
  const context = await browser.newContext();
  try {
    const { page } = await openPage(context, "overview");
    await page.getByText(/Indexed to block [\d,]+/).waitFor();
    await page
      .getByRole("region", { name: "Payments per second" })
      .getByRole("button", { name: "Table" })
      .click();
    await page
      .getByRole("table", { name: "Payments per second, newest first" })
      .locator("tbody tr")
      .nth(2)
      .waitFor();
  } finally {
    await context.close();
  }
});

test("seven tabs share one live stream, so that each is answered, and another one leads when the first is closed", async () => {
  const context = await browser.newContext();
  let streams = 0;
  context.on("request", (request) => {
    if (request.url().endsWith("/api/v1/stream")) streams += 1;
  });
  try {
    const tabs = [];
    for (let tab = 0; tab < 7; tab += 1) tabs.push((await openPage(context, "overview")).page);
    const freshness = (page: Page) => page.getByText(/Indexed to block [\d,]+/);
    for (const page of tabs) await freshness(page).waitFor();
    const [first, ...others] = tabs;
    // What a browser asks for when six streams hold all of its connections is never answered.
    await others.at(-1)?.reload();
    for (const page of tabs) await freshness(page).waitFor();
    expect(streams).toBe(1);
    await first?.close();
    await expect.poll(() => streams, { timeout: 60_000 }).toBe(2);
    const [last] = others.slice(-1);
    if (!last) throw new Error("there is no other tab");
    const block = await freshness(last).textContent();
    await expect.poll(() => freshness(last).textContent(), { timeout: 60_000 }).not.toBe(block);
  } finally {
    await context.close();
  }
});

describe("solvency", () => {
  const owner1 = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";

  /** The page in a browser whose wallet has this key, after a snapshot that has all that was owed by then. */
  async function solvencyPage(context: BrowserContext, key: Hex) {
    const injected = await injectWallet(context, { key, rpcUrl: stack.rpcUrl, chainId });
    const page = new SolvencyPage(await context.newPage(), stack.webUrl);
    const authorize = signRequests(privateKeyToAccount(key), chainId);
    await createClient({ url: stack.apiUrl, authorize }).solvency.take({});
    return { page, connect: () => page.connect(injected.name) };
  }

  const within = async (run: (context: BrowserContext) => Promise<void>) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(60_000);
    try {
      await run(context);
    } finally {
      await context.close();
    }
  };

  /** The key of the demo's first agent, which has money in channels. */
  const payerKey = async (): Promise<Hex> => {
    const mnemonic = (await readFile(join(stack.dataDir, "mnemonic"), "utf8")).trim();
    const { privateKey } = demoAccount(mnemonic, 0).getHdKey();
    if (!privateKey) throw new Error("the demo's first agent has no key");
    return toHex(privateKey);
  };

  test("an agent's proof is verified in its own browser, step by step to the root that everybody is shown", () =>
    within(async (context) => {
      const { page, connect } = await solvencyPage(context, await payerKey());
      await page.show();
      await page.verdict("Solvent").waitFor();
      await connect();
      await page.checkButton.click();
      await page.page.getByText(/^Counted: [\d.,]+ USDC of yours are in the root$/).waitFor();
      await page.page.getByText("The chain shows the same holdings as the service").waitFor();
      const steps = page.page.getByRole("table", { name: "Steps from your leaf to the root" });
      expect(await steps.locator("tbody tr").count()).toBeGreaterThan(0);
      const { violations } = await new AxeBuilder({ page: page.page })
        .withTags(["wcag2a", "wcag2aa", "wcag22aa"])
        .analyze();
      expect(violations.map(({ id }) => id)).toEqual([]);
      await page.page.screenshot({ path: `${pictures}/solvency-proof.png`, fullPage: true });
    }));

  test("a proof that says less about a neighbour is caught by the page", () =>
    within(async (context) => {
      const { page, connect } = await solvencyPage(context, await payerKey());
      await context.route(/\/api\/v1\/solvency\/proof/, async (route) => {
        const response = await route.fetch();
        const proof = (await response.json()) as { path: { sum: string }[]; obligations: string };
        const step = proof.path.find(({ sum }) => sum !== "0");
        if (!step) throw new Error("nobody else is owed anything");
        step.sum = (BigInt(step.sum) - 1n).toString();
        proof.obligations = (BigInt(proof.obligations) - 1n).toString();
        await route.fulfill({ response, json: proof }).catch(givenUp);
      });
      await page.show();
      await connect();
      await page.checkButton.click();
      await page.page.getByText("This proof does not hold").waitFor();
    }));

  test("who is owed nothing is told so, and what it means if that is wrong", () =>
    within(async (context) => {
      const { page, connect } = await solvencyPage(context, owner1);
      await page.show();
      await connect();
      await page.checkButton.click();
      await page.page.getByText("The service says that it owed you nothing at this block").waitFor();
    }));

  test("a deficit, nothing owed and silence each have their words", () =>
    within(async (context) => {
      const { page } = await solvencyPage(context, owner1);
      type Line = Awaited<ReturnType<Client["solvency"]["report"]>>["items"][number];
      const answer = (change: (line: Line) => Partial<Line>) =>
        context.route(/\/api\/v1\/solvency$/, async (route) => {
          const response = await route.fetch();
          const report = (await response.json()) as { items: Line[] };
          const items = report.items.map((line) => ({ ...line, ...change(line) }));
          await route
            .fulfill({
              response,
              json: { ...report, items, isSolvent: items.every(({ isSolvent }) => isSolvent) },
            })
            .catch(givenUp);
        });
      await answer(({ unit }) =>
        unit === "USDC" ? { isSolvent: false, surplus: { amount: "-1.5", unit } } : {},
      );
      await page.show();
      await page.page.getByText("In USDC the service is short by 1.50 USDC").waitFor();
      await context.unrouteAll();
      await answer(({ unit }) => ({ obligations: { amount: "0", unit }, holdings: { amount: "0", unit } }));
      await page.show();
      await page.page.getByText("Nothing is owed to anybody yet").waitFor();
      await context.unrouteAll();
      await context.route(/\/api\/v1\/solvency$/, (route) => route.abort());
      await page.show();
      await page.page.getByRole("button", { name: "Try again" }).waitFor();
    }));
});

test("when the service falls silent the page says so and keeps what it has", async () => {
  const context = await browser.newContext();
  try {
    const { page } = await openPage(context, "overview");
    await page.getByText(/Indexed to block/).waitFor();
    await stack.killService();
    await page.getByText(/^No answer for/).waitFor({ timeout: 30_000 });
    await page.getByText("Paid between agents").waitFor();
    await stack.startService();
    await page.getByText(/Indexed to block/).waitFor({ timeout: 60_000 });
  } finally {
    await context.close();
  }
});

test("a service that hangs is not shown as healthy, on the narrowest phone either", async () => {
  const context = await browser.newContext({ viewport: { width: 360, height: 900 } });
  try {
    const { page } = await openPage(context, "overview");
    await page.getByText(/block [\d,]+ ·/).waitFor();
    // Asked, and never answered: as of a process that was stopped.
    await context.route(`${stack.apiUrl}/**`, () => {});
    const status = page.getByText(/^No answer for \d+ s; figures as of \d\d:\d\d:\d\d$/);
    await status.waitFor({ timeout: 20_000 });
    const { x = 0, width = 0 } = (await status.boundingBox()) ?? {};
    expect(x + width).toBeLessThanOrEqual(360);
    await page.getByText("waiting for the live stream").waitFor({ timeout: 60_000 });
    await page.screenshot({ path: `${pictures}/silent-360.png` });
    await context.unrouteAll();
    await page.getByText(/block [\d,]+ ·/).waitFor({ timeout: 60_000 });
  } finally {
    await context.close();
  }
});

test("the configuration that pages run with is the stack's", async () => {
  const response = await fetch(new URL("/config.json", stack.webUrl));
  expect(await response.json()).toMatchObject({
    apiUrl: stack.apiUrl,
    rpcUrl: stack.rpcUrl,
    devWallet: true,
  });
});
