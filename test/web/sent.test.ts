import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import { createPublicClient, createTestClient, createWalletClient, type Hex, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { addresses } from "#addresses";
import { treasuryAbi } from "#contracts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { contentOf, typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { quorumToSend } from "@/features/approvals/treasury.ts";
import type { Proposal } from "@/lib/model.ts";
import { launchBrowser } from "../../scripts/stack/browser.ts";
import { eventually } from "./support/browser.ts";
import { ProposalPage } from "./support/pages.ts";
import { injectWallet, type TestWallet } from "./support/provider.ts";
import { type Stack, startStack } from "./support/stack.ts";

/** What a page may say of what was signed or sent: while the wallet asks, before it is in a block, and when it is in none again. */

// Owners 1 and 2 of the local Treasury: accounts 1 and 2 of the well-known development mnemonic.
const ownerKeys = [
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
] as const satisfies readonly Hex[];
const chainId = 31337;
const { Treasury } = addresses[chainId];

let stack: Stack;
let service: Client;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let proposalPage: ProposalPage;
let wallet: TestWallet;

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
  wallet = await injectWallet(context, { key: ownerKeys[0], rpcUrl: stack.rpcUrl, chainId });
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  proposalPage = new ProposalPage(page, stack.webUrl);
});

afterEach(() => context.close());

const chain = () => createTestClient({ mode: "hardhat", transport: http(stack.rpcUrl) });

/** The page of a proposal that `signed` owners have signed, the second one first; owner 1 is connected. */
async function open(signed: 0 | 1 | 2): Promise<Proposal> {
  const { address } = privateKeyToAccount(generatePrivateKey());
  const { proposalId } = await stack.ask(address, "150");
  const proposal = await service.treasury.proposal({ proposalId });
  for (const key of ownerKeys.toReversed().slice(0, signed)) {
    const owner = privateKeyToAccount(key);
    const signature = await owner.signTypedData(typedProposal(proposal, { chainId, address: Treasury }));
    await service.treasury.approve({ proposalId, owner: owner.address, signature });
  }
  await proposalPage.show(proposalId);
  await proposalPage.connect(wallet.name);
  return proposal;
}

/** Another owner's own transaction. */
const asOwner = (functionName: string, args: readonly unknown[]) =>
  createWalletClient({
    account: privateKeyToAccount(ownerKeys[1]),
    transport: http(stack.rpcUrl),
  }).writeContract({ address: Treasury, abi: treasuryAbi, chain: null, functionName, args } as never);

const rejectElsewhere = ({ nonce }: Proposal) => asOwner("cancelProposal", [BigInt(nonce)]);

/** For whoever wants to see what was tested. */
async function picture(name: string): Promise<void> {
  const dir = process.env.BURSAR_PICTURES;
  if (!dir) return;
  await mkdir(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`), fullPage: true });
}

/** The proposals of a nonce, the newest first, once there are as many. */
const opened = (nonce: bigint, count: number) =>
  eventually("what was opened is listed", async () => {
    const { items } = await service.treasury.proposals({ limit: 50 });
    const found = items.filter((one) => one.nonce === `${nonce}`);
    return found.length === count ? found : null;
  });

const untilState = ({ proposalId }: Proposal, state: Proposal["state"]) =>
  eventually(`the service says ${state}`, async () =>
    (await service.treasury.proposal({ proposalId })).state === state ? true : null,
  );

const approveAndExecute = () =>
  proposalPage.decision.getByRole("button", { name: "Approve and execute in one transaction" });
const rejection = () => page.getByRole("dialog", { name: "Reject this proposal?" });
const sendRejection = () => rejection().getByRole("button", { name: "Reject on the chain" });
const executed = () => page.getByText("Executed: the transaction is in a block.");
const undone = () =>
  page.getByText("The chain was reorganised: your transaction is no longer in a block").first();

describe("a reorganisation takes the transaction out of its block", () => {
  test("an execution: it is told as undone, and its button is back", async () => {
    const proposal = await open(1);
    await approveAndExecute().waitFor();
    const before = await chain().snapshot();
    await approveAndExecute().click();
    await executed().waitFor();
    await untilState(proposal, "executed");
    await proposalPage.decision.getByText("It has been executed on the chain.").waitFor();
    await chain().revert({ id: before });
    await undone().waitFor({ timeout: 60_000 });
    expect(await executed().count()).toBe(0);
    expect(await page.getByText("It has been executed on the chain.").count()).toBe(0);
    await untilState(proposal, "open");
    await approveAndExecute().click();
    await executed().waitFor();
    await untilState(proposal, "executed");
    expect(await undone().count()).toBe(0);
  });

  test("a rejection: its dialog offers it again", async () => {
    const proposal = await open(0);
    await proposalPage.rejectButton.waitFor();
    const before = await chain().snapshot();
    await proposalPage.rejectButton.click();
    await sendRejection().click();
    await page.getByText("Rejected on the chain.").first().waitFor();
    await untilState(proposal, "cancelled");
    await chain().revert({ id: before });
    await undone().waitFor({ timeout: 60_000 });
    await untilState(proposal, "open");
    if (!(await rejection().isVisible())) await proposalPage.rejectButton.click();
    await sendRejection().waitFor();
    expect(await page.getByText("Rejected on the chain.").count()).toBe(0);
  });
});

describe("a transaction that is slow to be mined", () => {
  afterEach(() => chain().setAutomine(true));

  test("an execution has not failed after minutes, and nothing is offered beside it", async () => {
    await page.clock.install();
    await open(1);
    await approveAndExecute().waitFor();
    await chain().setAutomine(false);
    await approveAndExecute().click();
    await page.getByText("Sent, but in no block yet").waitFor();
    await page.clock.fastForward(150_000);
    await page.getByText(/It can still be executed: do not send it again\./).waitFor();
    expect(await page.getByText("That did not work").count()).toBe(0);
    for (const button of [approveAndExecute(), proposalPage.signButton, proposalPage.rejectButton])
      expect(await button.count()).toBe(0);
    await chain().mine({ blocks: 1 });
    await executed().waitFor({ timeout: 60_000 });
    expect(await page.getByText("Sent, but in no block yet").count()).toBe(0);
  });

  test("a rejection whose dialog was closed tells its outcome on the page", async () => {
    await open(0);
    await proposalPage.rejectButton.click();
    await rejection().getByText("No other proposal was opened on the chain with this nonce.").waitFor();
    await chain().setAutomine(false);
    await sendRejection().click();
    await rejection().getByText("Sent, but in no block yet").waitFor();
    await page.keyboard.press("Escape");
    await rejection().waitFor({ state: "hidden" });
    await proposalPage.decision.getByText("Sent, but in no block yet").waitFor();
    expect(await proposalPage.signButton.count()).toBe(0);
    // Also for whoever looks elsewhere meanwhile.
    await page.getByRole("link", { name: "Approvals" }).first().click();
    await page.getByRole("heading", { name: "Approvals", level: 1 }).waitFor();
    await page.goBack();
    await proposalPage.decision.getByText("Sent, but in no block yet").waitFor();
    expect(await proposalPage.signButton.count()).toBe(0);
    await chain().mine({ blocks: 1 });
    await proposalPage.decision.getByText("Rejected on the chain.").waitFor({ timeout: 60_000 });
  });
});

test("of an execution that the service does not answer for, the page says where it will be told, and then tells it", async () => {
  const proposal = await open(2);
  await proposalPage.relayButton.waitFor();
  const silent = (route: Route) => route.abort();
  await proposalPage.simulation.getByText("Would succeed").waitFor();
  await page.route(`${stack.apiUrl}/**`, silent);
  await proposalPage.relayButton.click();
  await page.getByText(/this page then says whether it was executed/).waitFor();
  expect(await page.getByText(/Look under Signatures/).count()).toBe(0);
  await service.treasury.execute({ proposalId: proposal.proposalId });
  await page.unroute(`${stack.apiUrl}/**`, silent);
  await page.getByText("It has been executed on the chain.").waitFor({ timeout: 60_000 });
  await page.getByText(/We do not know whether it arrived/).waitFor({ state: "detached" });
});

describe("while the wallet asks", () => {
  test("another owner rejects: the dialog stays and says what to do in the wallet", async () => {
    const proposal = await open(0);
    const confirm = wallet.hold();
    await proposalPage.sign();
    await proposalPage.dialog.root.getByText("Waiting for your wallet").waitFor();
    await rejectElsewhere(proposal);
    await proposalPage.dialog.root.getByText("Stopped: it was rejected meanwhile").waitFor();
    await proposalPage.dialog.root.getByText("Decline the request in your wallet.").waitFor();
    expect(await proposalPage.announcer.textContent()).toMatch(/^Stopped: it was rejected meanwhile\./);
    confirm();
    await proposalPage.dialog.root.getByText("Nothing was sent.").waitFor();
    await proposalPage.dialog.close.click();
    await proposalPage.dialog.root.waitFor({ state: "hidden" });
    const { approvals } = await service.treasury.proposal({ proposalId: proposal.proposalId });
    expect(approvals).toEqual([]);
  });

  test("its time runs out: the same", async () => {
    const nonce = BigInt(Date.now());
    const deadline = BigInt(Math.floor(Date.now() / 1_000) + 20);
    await asOwner("propose", [[{ to: Treasury, value: 0n, data: "0x" }], nonce, deadline]);
    const [proposal] = await opened(nonce, 1);
    await proposalPage.show(proposal?.proposalId ?? "");
    await proposalPage.connect(wallet.name);
    const confirm = wallet.hold();
    await proposalPage.sign();
    await proposalPage.dialog.root.getByText("Waiting for your wallet").waitFor();
    await proposalPage.dialog.root.getByText("Stopped: its time is up").waitFor({ timeout: 60_000 });
    confirm();
  });

  test("or for a rejection, which another owner sends first: the same", async () => {
    const proposal = await open(0);
    await proposalPage.rejectButton.click();
    await rejection().getByText("No other proposal was opened on the chain with this nonce.").waitFor();
    wallet.hold();
    await sendRejection().click();
    await rejection().getByText("Waiting for your wallet").waitFor();
    await rejectElsewhere(proposal);
    await rejection().getByText("Stopped: it was rejected meanwhile").waitFor();
    await rejection().getByText("Decline the request in your wallet.").waitFor();
    expect(await sendRejection().count()).toBe(0);
  });

  test("it moves to another network: the same", async () => {
    await open(0);
    const confirm = wallet.hold();
    await proposalPage.sign();
    await proposalPage.dialog.root.getByText("Waiting for your wallet").waitFor();
    await wallet.moveTo(1);
    await proposalPage.dialog.root.getByText("Stopped: your wallet changed network").waitFor();
    await proposalPage.dialog.root.getByText("Decline the request in your wallet.").waitFor();
    confirm();
  });
});

test("a declined signature is announced as declined", async () => {
  await open(0);
  wallet.decline();
  await proposalPage.sign();
  await proposalPage.dialog.root.getByText("You declined in your wallet").waitFor();
  expect(await proposalPage.announcer.textContent()).toBe("You declined the signature in your wallet");
});

test("the wallet is waited for when it is asked, and beside Executed nothing says that it could be", async () => {
  const proposal = await open(2);
  await proposalPage.executeButton.waitFor();
  const { promise: checked, resolve: answer } = Promise.withResolvers<void>();
  await page.route("**/simulat*", async (route) => {
    await checked;
    await route.continue();
  });
  await proposalPage.executeButton.click();
  await proposalPage.decision.getByText("Checking that it would succeed…").waitFor();
  expect(await page.getByText("Waiting for your wallet").count()).toBe(0);
  expect(wallet.asked).not.toContain("eth_sendTransaction");
  // The service hears of the block late.
  const ready = await service.treasury.proposal({ proposalId: proposal.proposalId });
  const late = (route: Route) =>
    route.fulfill({ json: ready, headers: { "access-control-allow-origin": "*" } });
  await page.route(`**/proposals/${proposal.proposalId}`, late);
  answer();
  await executed().waitFor();
  for (const stale of ["Ready to execute", /Anyone may execute it now/, "Would succeed"])
    expect(await page.getByText(stale).count()).toBe(0);
});

test("a reorganisation takes back the opening of what was signed: it stays to be read, and its execution is told", async () => {
  // Taken before it is opened: what the demo sends meanwhile goes with it.
  const before = await chain().snapshot();
  const proposal = await open(2);
  await proposalPage.executeButton.waitFor();
  const signed = await service.treasury.proposal({ proposalId: proposal.proposalId });
  await chain().revert({ id: before });
  await chain().mine({ blocks: 1 });
  await proposalPage.decision
    .getByText(/^A reorganisation of the chain took its opening back\./)
    .waitFor({ timeout: 60_000 });
  await proposalPage.rejectButton.waitFor();
  expect(await proposalPage.executeButton.count()).toBe(0);
  await picture("taken-back");
  const { calls, nonce, deadline } = contentOf(signed);
  await asOwner("execute", [calls, nonce, deadline, quorumToSend(signed)]);
  await untilState(proposal, "executed");
  await proposalPage.decision.getByText("It has been executed on the chain.").waitFor();
});

test("of two proposals with one nonce each names the other, and the one that was not executed is not told as rejected", async () => {
  const payee = privateKeyToAccount(generatePrivateKey()).address;
  const calls = [{ to: payee, value: 0n, data: "0x" }];
  const nonce = BigInt(Date.now());
  const { timestamp } = await createPublicClient({ transport: http(stack.rpcUrl) }).getBlock();
  for (const hours of [1n, 2n]) await asOwner("propose", [calls, nonce, timestamp + hours * 3_600n]);
  const [late, early] = await opened(nonce, 2);
  if (!late || !early) throw new Error("there are not two");
  await proposalPage.show(early.proposalId);
  const named = page.locator(`a[href="/approvals/${late.proposalId}"]`);
  await page.getByText(/^1 other proposal was opened with it/).waitFor();
  await named.waitFor();
  await picture("siblings");
  for (const key of ownerKeys) {
    const owner = privateKeyToAccount(key);
    const signature = await owner.signTypedData(typedProposal(late, { chainId, address: Treasury }));
    await service.treasury.approve({ proposalId: late.proposalId, owner: owner.address, signature });
  }
  await service.treasury.execute({ proposalId: late.proposalId });
  await page
    .getByText("Another proposal of the same nonce was executed, so this one can never be.")
    .waitFor();
  expect(await page.getByText("Rejected").count()).toBe(0);
  await picture("superseded");
  await named.click();
  await page.getByText("It has been executed on the chain.").waitFor();
});

test("a browser whose clock is days ahead is told so, and decides by the service's", async () => {
  await page.clock.install({ time: Date.now() + 8 * 86_400_000 });
  await open(0);
  await page.getByText(/^This browser's clock is 8 d( \d+ h)? ahead of the service's/).waitFor();
  await proposalPage.signButton.waitFor();
  for (const wrong of ["Expired", "Time is up", /can never be executed/])
    expect(await page.getByText(wrong).count()).toBe(0);
  await picture("clock-ahead");
});
