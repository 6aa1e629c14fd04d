import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { createWalletClient, type Hex, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { addresses } from "#addresses";
import { treasuryAbi } from "#contracts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { launchBrowser } from "../../scripts/stack/browser.ts";
import { chainNode } from "../../scripts/stack/chain.ts";
import { startProgram } from "../../scripts/stack/process.ts";
import { eventually } from "./support/browser.ts";
import { ApprovalsPage, ProposalPage } from "./support/pages.ts";
import { injectWallet } from "./support/provider.ts";
import { type Stack, startStack } from "./support/stack.ts";

/** What a page must tell while it is open: a freeze, a pause, a lie, a wallet that declines, a chain that falls silent. */

// Owner 1 of the local Treasury: account 1 of the well-known development mnemonic.
const ownerKey = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const chainId = 31337;

let stack: Stack;
let service: Client;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  stack = await startStack();
  service = createClient({ url: stack.apiUrl });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
});

afterEach(() => context.close());

/** An owner's own transaction, of which the service hears by the chain only. */
const asOwner = (
  call:
    | { functionName: "freeze"; args: [Hex] }
    | { functionName: "removeBudget"; args: [Hex, Hex] }
    | { functionName: "denyRecipients"; args: [Hex, Hex[]] }
    | { functionName: "pause"; args: [] },
) =>
  createWalletClient({ account: privateKeyToAccount(ownerKey), transport: http(stack.rpcUrl) }).writeContract(
    {
      address: addresses[chainId].Treasury,
      abi: treasuryAbi,
      chain: null,
      ...call,
    } as never,
  );

const open = (path: string) => page.goto(new URL(path, stack.webUrl).href);

async function freshProposal(): Promise<Hex> {
  const { address } = privateKeyToAccount(generatePrivateKey());
  return (await stack.ask(address, "150")).proposalId;
}

/** For whoever wants to see what was tested. */
async function picture(name: string): Promise<void> {
  const dir = process.env.BURSAR_PICTURES;
  if (!dir) return;
  await mkdir(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`) });
}

test("a service that tells another amount than the signed data is found out before the wallet is asked", async () => {
  const proposalId = await freshProposal();
  const wallet = await injectWallet(context, { key: ownerKey, rpcUrl: stack.rpcUrl, chainId });
  const proposalPage = new ProposalPage(page, stack.webUrl);
  await proposalPage.show(proposalId);
  await proposalPage.connect(wallet.name);
  await proposalPage.signButton.click();
  await proposalPage.dialog.toCompare.click();
  await proposalPage.dialog.root.getByText("The data that you sign say what you have read").waitFor();
  await picture("compare-honest");
  await page.keyboard.press("Escape");

  await page.route(/\/proposals\/0x/, async (route) => {
    const response = await route.fetch();
    await route
      .fulfill({ response, body: (await response.text()).replaceAll("150 USDC", "1 USDC") })
      // The page may have given the request up.
      .catch(() => {});
  });
  await page.reload();
  await proposalPage.title.getByText("Pay 1 USDC").waitFor();
  await proposalPage.signButton.click();
  await proposalPage.dialog.toCompare.click();
  await proposalPage.dialog.root
    .getByText("Do not sign: the data do not say what the service says")
    .waitFor();
  await picture("compare-lie");
  expect(await proposalPage.dialog.hashesAgree.isDisabled()).toBe(true);
  expect(wallet.asked).not.toContain("eth_signTypedData_v4");
});

test("a batch of which the second is declined says what was sent, with its buttons in view", async () => {
  const ids = [await freshProposal(), await freshProposal(), await freshProposal()];
  const wallet = await injectWallet(context, { key: ownerKey, rpcUrl: stack.rpcUrl, chainId });
  const queue = new ApprovalsPage(page, stack.webUrl);
  await queue.show();
  await queue.connect(wallet.name);
  for (const id of ids)
    await page
      .locator("li", { has: page.locator(`a[href="/approvals/${id}"]`) })
      .getByRole("checkbox")
      .check();
  await page.getByRole("button", { name: "Sign 3" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign 3 proposals" });
  const confirm = wallet.hold();
  await dialog.getByRole("button", { name: "Sign in wallet" }).click();
  await eventually("the wallet is asked", async () => wallet.asked.includes("eth_signTypedData_v4") || null);
  // The one that is held has passed the question whether to decline.
  wallet.decline();
  confirm();
  const told = dialog.getByText(
    "1 of 3 signed and sent; you declined the second. Signatures that were sent stay.",
  );
  await told.waitFor();
  await picture("batch-declined");
  for (const part of [told, dialog.getByRole("button", { name: "Cancel" })]) {
    const box = await part.boundingBox();
    expect((box?.y ?? 901) + (box?.height ?? 0)).toBeLessThanOrEqual(900);
  }
  await dialog.getByRole("button", { name: "Ask again" }).click();
  await dialog.getByText("Signed", { exact: true }).nth(2).waitFor();
});

test("a signature of a batch that arrived though its answer was lost is told as given", async () => {
  const ids = [await freshProposal(), await freshProposal()];
  const wallet = await injectWallet(context, { key: ownerKey, rpcUrl: stack.rpcUrl, chainId });
  const queue = new ApprovalsPage(page, stack.webUrl);
  await queue.show();
  await queue.connect(wallet.name);
  for (const id of ids)
    await page
      .locator("li", { has: page.locator(`a[href="/approvals/${id}"]`) })
      .getByRole("checkbox")
      .check();
  await page.getByRole("button", { name: "Sign 2" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign 2 proposals" });
  let approvals = 0;
  let silent = true;
  await page.route(/\/proposals\/0x/, async (route) => {
    if (route.request().method() === "POST") approvals += 1;
    // Asked before the answer is passed on: a question that was under way before the second signature may be answered
    // after it.
    const response = await route.fetch();
    return silent && approvals >= 2 ? route.abort() : route.fulfill({ response });
  });
  await dialog.getByRole("button", { name: "Sign in wallet" }).click();
  await dialog.getByText(/^1 of 2 signed and sent; we do not know whether the second arrived\./).waitFor();
  await picture("batch-unsure");
  silent = false;
  await dialog.getByText("Signed", { exact: true }).nth(1).waitFor();
  await dialog.getByRole("button", { name: "Close" }).last().click();
});

test("an agent's open page moves with its channels, and shows its freeze within five seconds", async () => {
  const { items } = await service.treasury.budgets();
  const spender = items[0]?.spender as Hex;
  await open(`/wallets/${spender}`);
  const channels = page.getByRole("region", { name: "Channels it pays through" });
  const before = await channels.textContent();
  await eventually(
    "the channels move",
    async () => ((await channels.textContent()) === before ? null : true),
    30_000,
  );

  await page
    .getByRole("heading", { name: /^Budget in/ })
    .first()
    .waitFor();
  expect(await page.getByText("Frozen", { exact: true }).count()).toBe(0);
  await asOwner({ functionName: "freeze", args: [spender] });
  await page.getByText("Frozen", { exact: true }).first().waitFor({ timeout: 5_000 });
  await picture("frozen");
});

test("whoever an owner has stopped is told before the next one decides, also when its budget is gone", async () => {
  const { items } = await service.treasury.proposals({ state: "open", limit: 50 });
  const proposal = items.find(({ calls }) => calls[0]?.decoded?.function === "disburse");
  const payee = proposal?.calls[0]?.decoded?.args.find(({ name }) => name === "to")?.value as Hex;
  const spender = proposal?.proposer as Hex;
  await open(`/approvals/${proposal?.proposalId}`);
  const decision = new ProposalPage(page, stack.webUrl).decision;
  await asOwner({ functionName: "freeze", args: [spender] });
  const frozen = decision.getByText(/^The agent 0x\S+ is frozen\./);
  await frozen.waitFor();
  await asOwner({ functionName: "removeBudget", args: [spender, addresses[chainId].TestUSDC] });
  await asOwner({ functionName: "denyRecipients", args: [spender, [payee]] });
  await asOwner({ functionName: "freeze", args: [payee] });
  await decision.getByText(/^The budget of the agent 0x\S+ was taken away\./).waitFor();
  await decision.getByText(/^The recipient 0x\S+ may not be paid/).waitFor();
  await decision.getByText(/^The recipient 0x\S+ is frozen\./).waitFor();
  expect(await frozen.count(), "the freeze has not gone with the budget").toBe(1);
  await picture("stopped-without-budget");
});

test("stops that could not be read are told as unknown, and nothing is decided before that is confirmed", async () => {
  const { items } = await service.treasury.proposals({ state: "open", limit: 50 });
  const { address: owner } = privateKeyToAccount(ownerKey);
  const proposalId = items.find(
    ({ calls, missing }) => calls[0]?.decoded?.function === "disburse" && missing.includes(owner),
  )?.proposalId as Hex;
  const wallet = await injectWallet(context, { key: ownerKey, rpcUrl: stack.rpcUrl, chainId });
  const proposalPage = new ProposalPage(page, stack.webUrl);
  await proposalPage.show(proposalId);
  await proposalPage.connect(wallet.name);
  await proposalPage.signButton.click();
  await proposalPage.dialog.toCompare.click();
  await proposalPage.dialog.hashesAgree.click();
  // It has read the tokens' units; now both the page's own node and the service's readings of the chain fail.
  await page.route(`${stack.rpcUrl}/**`, (route) => route.abort());
  await page.route(/\/treasury(\/budgets|\?|$)|simulation/, (route) => route.abort());
  // A simulation is good until another block is there.
  await asOwner({ functionName: "freeze", args: [items[0]?.proposer as Hex] });
  const { root, signInWallet } = proposalPage.dialog;
  await root.getByText(/^We could not read from the chain whether the Treasury is paused/).waitFor();
  await root.getByText(/^We could not simulate it/).waitFor();
  await picture("stops-unread");
  expect(await signInWallet.isDisabled()).toBe(true);
  await root.getByRole("checkbox").check();
  expect(await signInWallet.isEnabled()).toBe(true);
  await page.getByText("We could not read whether the Treasury is paused.").waitFor();
  await page.goto(new URL(`/wallets/${items[0]?.proposer}`, stack.webUrl).href);
  await page.getByRole("region", { name: "Budgets" }).getByText("Try again").waitFor();
  await picture("budgets-unread");
});

test("a paused Treasury is told on every page, and no budget reads as available", async () => {
  const proposalId = await freshProposalOfAnother();
  await open("/");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await asOwner({ functionName: "pause", args: [] });
  const banner = page.getByText("The Treasury is paused: agents can spend nothing from it.");
  await banner.waitFor({ timeout: 5_000 });
  await page.getByText("The Treasury is paused: nothing can be spent from any budget.").waitFor();
  await picture("paused-overview");
  for (const path of ["/payments", "/solvency", "/approvals", "/wallets"]) {
    await open(path);
    await banner.waitFor();
  }
  await page.getByText("Treasury paused: no more from it").first().waitFor();
  await picture("paused-wallets");
  await open(`/approvals/${proposalId}`);
  await page
    .getByText(
      "The Treasury is paused. What an agent asked it to pay cannot be executed until the pause is lifted",
    )
    .waitFor();
  await picture("paused-proposal");
});

/** Opened before whatever stops its agent. */
async function freshProposalOfAnother(): Promise<string> {
  const { items } = await service.treasury.proposals({ state: "open", limit: 1 });
  const [first] = items;
  if (!first) throw new Error("no proposal is open");
  return first.proposalId;
}

test("when the chain alone falls silent, the page says so of the chain", async () => {
  const paymentId = await eventually("somebody has paid", async () => {
    const { items } = await service.payments.list({ limit: 1 });
    return items[0]?.paymentId ?? null;
  });
  await open("/solvency");
  await page.getByText(/Indexed to block/).waitFor();
  await stack.killChain(chainId);
  const told = page.getByText(
    /The chain does not answer since \d\d:\d\d:\d\d; payments are taken for a limited time only, proposals and execution wait/,
  );
  await told.first().waitFor({ timeout: 60_000 });
  await eventually("the page says it, too", async () => ((await told.count()) >= 2 ? true : null), 40_000);
  await picture("chain-silent");
  expect(await page.getByText("The service does not answer").count()).toBe(0);

  // Another chain in its place: what was paid on the first one is not owed on it.
  const again = startProgram({
    name: "the chain, anew",
    command: process.execPath,
    args: chainNode(Number(new URL(stack.rpcUrl).port), chainId),
  });
  try {
    await open(`/payments/${paymentId}`);
    await page.getByRole("region", { name: "Progress" }).waitFor();
    await picture("before-written-off");
    await page.getByText("On a chain that is gone; written off").first().waitFor({ timeout: 60_000 });
    await picture("written-off");
    expect(await page.getByText(/owes it to the payee|can count on it/).count()).toBe(0);
  } finally {
    await again.stop();
  }
});
