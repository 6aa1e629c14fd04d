// What each page loads first, and when somebody can use it, in a real Chromium.
//   npm run bench:web [-- --json --visits 3]
import { glob } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { readCommand } from "#offchain/platform/commandLine.ts";
import { createClient } from "#offchain/sdk/client.ts";
import { giveAgent } from "../fund.ts";
import { installBrowser, launchBrowser } from "../stack/browser.ts";
import type { Stack } from "../stack/stack.ts";
import { benchAgent } from "./parts/agents.ts";
import { count, median, round } from "./parts/figures.ts";
import { onStack, unlimited } from "./parts/stack.ts";

const help = `npm run bench:web [-- options]

Every page of web/app, opened by a visitor who has nothing in his cache, of the built dashboard before a service that has
payments, a batch and a proposal. jsGzipKb: the JavaScript that its HTML asks for, each file gzipped, KB of 1,024 bytes;
interactiveMs: from the beginning of the navigation until its heading is there, no placeholder is left, React answers its
buttons and the browser draws again; the median of all visits.

  --visits <n>   of each page (default 3)
  --json         one JSON object as the last line

The dashboard is built first where its sources changed, which takes minutes. BURSAR_CHROMIUM names another Chromium.`;

const values = readCommand(help, {
  visits: { type: "string", default: "3" },
  json: { type: "boolean", default: false },
});

const app = join(import.meta.dirname, "../../web/app");
const patienceMs = 60_000;
interface PageFigures {
  jsGzipKb: number;
  interactiveMs: number;
}

async function main(visits: number): Promise<void> {
  await installBrowser();
  const pages = await onStack("web", { isWebWanted: true, env: unlimited }, async (stack) => {
    const known = await furnish(stack);
    await stack.webReady;
    const browser = await launchBrowser();
    try {
      return await measure(browser, stack.webUrl ?? "", known, visits);
    } finally {
      await browser.close();
    }
  });
  console.table(pages);
  if (values.json) console.log(JSON.stringify({ pages, visits }));
}

async function measure(
  browser: Browser,
  webUrl: string,
  known: Readonly<Record<string, string>>,
  visits: number,
): Promise<Record<string, PageFigures>> {
  const pages: Record<string, PageFigures> = {};
  for (const path of await pagePaths()) {
    console.error(path);
    const filled = path.replace(/\[(\w+)\]/g, (_, name: string) => {
      const value = known[name];
      if (!value) throw new Error(`${path}: the bench has no ${name} to show; give furnish() one`);
      return value;
    });
    const url = new URL(filled, webUrl).href;
    const times: number[] = [];
    // The server renders a page for the first time before it is measured.
    for (let visit = 0; visit <= visits; visit += 1) times.push(await interactiveMs(browser, url));
    pages[path] = { jsGzipKb: await firstLoadKb(url), interactiveMs: Math.round(median(times.slice(1))) };
  }
  return pages;
}

/** Routes of the pages, as their folders name them. */
async function pagePaths(): Promise<string[]> {
  const paths: string[] = [];
  for await (const file of glob("**/page.tsx", { cwd: app }))
    paths.push(`/${file.replaceAll("\\", "/").replace(/\/?page\.tsx$/, "")}`);
  return paths.toSorted();
}

/** The files that the page's own HTML names; what only browsers without modules load is left out. */
async function firstLoadKb(url: string): Promise<number> {
  const html = await (await fetch(url)).text();
  const files = new Set<string>();
  for (const [tag, source] of html.matchAll(/<script\b[^>]*?\bsrc="([^"]+)"[^>]*>/g))
    if (source && !/\bnomodule\b/i.test(tag)) files.add(new URL(source, url).href);
  if (files.size === 0) throw new Error(`${url} names no JavaScript`);
  let bytes = 0;
  for (const file of files) bytes += gzipSync(Buffer.from(await (await fetch(file)).arrayBuffer())).length;
  return round(bytes / 1_024);
}

async function interactiveMs(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.goto(url, { waitUntil: "commit" });
    return await untilInteractive(page);
  } finally {
    await context.close();
  }
}

/** For the page: when somebody could use it, ms since the navigation began. React marks the elements that it answers for. */
const usableAt = `(() => {
  const button = document.querySelector("button");
  const isAnswered = button !== null && Object.keys(button).some((key) => key.startsWith("__reactProps$"));
  const isShown = document.querySelector("h1") !== null && !document.querySelector("[aria-busy=true]");
  return isAnswered && isShown ? performance.now() : null;
})()`;

/** Asks at each frame that the browser draws. */
async function untilInteractive(page: Page): Promise<number> {
  const found = await page.waitForFunction(usableAt, undefined, { polling: "raf", timeout: patienceMs });
  return Number(await found.jsonValue());
}

/** Something of each kind that a page shows, by the name that its route gives it. */
async function furnish(stack: Stack): Promise<Record<string, string>> {
  const agent = benchAgent(stack, "buyer");
  const payee = benchAgent(stack, "seller");
  await giveAgent({ rpcUrl: stack.rpcUrl, agent: agent.address, usdc: "100", budget: "10/day" });
  await agent.register("Buyer", "buyer");
  await payee.register("Seller", "seller");
  const channel = await agent.openChannel({ payee: payee.address, deposit: "10" });
  let receipt = await channel.pay({ key: "bench-0", amount: "0.001" });
  for (let at = 1; at < 50; at += 1) receipt = await channel.pay({ key: `bench-${at}`, amount: "0.001" });
  const { proposalId } = await agent.spend({ key: "bench", to: payee.address, amount: "20" });
  const client = createClient({ url: stack.apiUrl });
  for (let items: unknown[] = []; items.length === 0; )
    ({ items } = await client.treasury.proposals({ limit: 1 }));
  return {
    address: agent.address,
    batchId: receipt.batchId,
    paymentId: receipt.paymentId,
    ...(proposalId && { proposalId }),
  };
}

await main(count("visits", values.visits));
