import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { eventually, launchBrowser } from "./support/browser.ts";
import { type Stack, startStack } from "./support/stack.ts";

const pictures = fileURLToPath(new URL("../../data/screenshots", import.meta.url));
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
  test.each(names)(
    "%s breaks no rule of WCAG 2.2 AA, throws nothing and asks nobody outside",
    async (name) => {
      const context = await browser.newContext({
        colorScheme: theme,
        viewport: { width: 1440, height: 900 },
      });
      try {
        const { page, complaints } = await openPage(context, name);
        await page.screenshot({ path: `${pictures}/${name}-${theme}.png`, fullPage: true });
        const { violations } = await new AxeBuilder({ page })
          .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
          .analyze();
        expect(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
        ).toEqual([]);
        expect(complaints).toEqual([]);
      } finally {
        await context.close();
      }
    },
  );
});

test.each([360, 768, 3840])("no page scrolls sideways at %d px", async (width) => {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  try {
    for (const name of names) {
      const { page } = await openPage(context, name);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, name).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `${pictures}/${name}-${width}.png`, fullPage: true });
      await page.close();
    }
  } finally {
    await context.close();
  }
});

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

test("when the service falls silent the page says so and keeps what it has", async () => {
  const context = await browser.newContext();
  try {
    const { page } = await openPage(context, "overview");
    await page.getByText(/Indexed to block/).waitFor();
    await stack.killService();
    await page.getByText("Service does not answer").waitFor({ timeout: 30_000 });
    await page.getByText("Paid between agents").waitFor();
    await stack.startService();
    await page.getByText(/Indexed to block/).waitFor({ timeout: 30_000 });
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
