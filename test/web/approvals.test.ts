import type { Browser, BrowserContext, Page, Route } from "playwright-core";
import { type Address, createPublicClient, decodeFunctionData, erc20Abi, type Hex, http } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { treasuryAbi } from "#contracts";
import { type Client, createClient } from "#offchain/sdk/client.ts";
import { typedProposal } from "#offchain/sdk/treasury/proposal.ts";
import { proposalHashes } from "@/features/approvals/treasury.ts";
import type { Proposal } from "@/lib/model.ts";
import { launchBrowser } from "../../scripts/stack/browser.ts";
import { eventually } from "./support/browser.ts";
import { ApprovalsPage, ProposalPage } from "./support/pages.ts";
import { injectWallet, type TestWallet } from "./support/provider.ts";
import { type Stack, startStack } from "./support/stack.ts";

// Owners 1, 2 and 3 of the local Treasury: accounts 1 to 3 of the well-known development mnemonic.
const ownerKeys = [
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
  "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
] as const satisfies readonly Hex[];
const chainId = 31337;

let stack: Stack;
let service: Client;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let proposalPage: ProposalPage;

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
  proposalPage = new ProposalPage(page, stack.webUrl);
});

afterEach(() => context.close());

/** A proposal that an agent of the demo opens by asking for more than its line, for somebody whom nobody else pays. */
async function freshProposal(): Promise<Proposal> {
  const { address: to } = privateKeyToAccount(generatePrivateKey());
  const { proposalId } = await stack.ask(to, "150");
  return service.treasury.proposal({ proposalId });
}

const wallet = (owner: 0 | 1 | 2, startsOn = chainId): Promise<TestWallet> =>
  injectWallet(context, {
    key: ownerKeys[owner],
    rpcUrl: stack.rpcUrl,
    chainId,
    startsOn,
    name: "Test wallet",
  });

/** Whom the proposal pays, in which token and how much: read from its own call data. */
function paymentOf(proposal: Proposal): { token: Address; to: Address; amount: bigint } {
  const [call] = proposal.calls;
  if (!call) throw new Error(`proposal ${proposal.proposalId} has no call`);
  const { functionName, args } = decodeFunctionData({ abi: treasuryAbi, data: call.data as Hex });
  if (functionName !== "disburse") throw new Error(`proposal ${proposal.proposalId} calls ${functionName}`);
  const [, token, to, amount] = args;
  return { token, to, amount };
}

const balanceOf = ({ token, to }: { token: Address; to: Address }): Promise<bigint> =>
  createPublicClient({ transport: http(stack.rpcUrl) }).readContract({
    address: token,
    abi: erc20Abi,
    functionName: "balanceOf",
    args: [to],
  });

describe("a human decides about an agent's payment", () => {
  test("connect, read, sign as owner 1, sign as owner 2, execute: the money has moved on the chain", async () => {
    const proposal = await freshProposal();
    const payment = paymentOf(proposal);
    const injected = await wallet(0);
    const queue = new ApprovalsPage(page, stack.webUrl);
    await queue.show();
    await queue.connect(injected.name);
    await queue.page.locator(`a[href="/approvals/${proposal.proposalId}"]`).click();
    await proposalPage.title.getByText(proposal.words).waitFor();
    await proposalPage.simulation.getByText("Would succeed").waitFor();

    await proposalPage.sign();
    await proposalPage.dialog.signed.waitFor();
    await proposalPage.dialog.close.click();
    await proposalPage.signatures.getByText(/1 of 2/).waitFor();

    await injected.switchAccount(ownerKeys[1]);
    await proposalPage.sign();
    await proposalPage.dialog.signed.waitFor();
    await proposalPage.dialog.close.click();

    const before = await balanceOf(payment);
    await proposalPage.executeButton.click();
    await page.getByText("Executed", { exact: true }).first().waitFor();
    expect((await balanceOf(payment)) - before).toBe(payment.amount);
    const executed = await eventually("the service has indexed the execution", async () => {
      const now = await service.treasury.proposal({ proposalId: proposal.proposalId });
      return now.state === "executed" ? now : null;
    });
    expect(executed.transactionHash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(injected.asked.filter((method) => method === "eth_signTypedData_v4")).toHaveLength(2);
  });

  test("the development wallet signs as owner 1 and 2 without an extension; the service pays the gas", async () => {
    const proposal = await freshProposal();
    const payment = paymentOf(proposal);
    const before = await balanceOf(payment);
    await proposalPage.show(proposal.proposalId);
    await proposalPage.connect("Development wallet");
    await proposalPage.sign();
    await proposalPage.dialog.signed.waitFor();
    await proposalPage.dialog.close.click();
    await proposalPage.becomeOwner(2);
    await proposalPage.sign();
    await proposalPage.dialog.signed.waitFor();
    await proposalPage.dialog.close.click();
    await proposalPage.relayButton.click();
    await page.getByText("Executed", { exact: true }).first().waitFor();
    expect((await balanceOf(payment)) - before).toBe(payment.amount);
  });

  test("the last owner approves and executes in one transaction", async () => {
    const proposal = await freshProposal();
    const payment = paymentOf(proposal);
    const before = await balanceOf(payment);
    await proposalPage.show(proposal.proposalId);
    await proposalPage.connect("Development wallet");
    await proposalPage.sign();
    await proposalPage.dialog.signed.waitFor();
    await proposalPage.dialog.close.click();
    await proposalPage.becomeOwner(3);
    await proposalPage.decision
      .getByRole("button", { name: "Approve and execute in one transaction" })
      .click();
    await page.getByText("Executed", { exact: true }).first().waitFor();
    await proposalPage.signatures.getByText(/Approved by executing/).waitFor();
    await proposalPage.signatures.getByText("2 of 2").waitFor();
    await proposalPage.decision.getByText("Executed: the transaction is in a block.").waitFor();
    expect((await balanceOf(payment)) - before).toBe(payment.amount);
  });

  test("one owner rejects, and the proposal can never execute", async () => {
    const proposal = await freshProposal();
    await proposalPage.show(proposal.proposalId);
    await proposalPage.connect("Development wallet");
    await proposalPage.rejectButton.click();
    await page.getByText("No other proposal was opened on the chain with this nonce.").waitFor();
    await page.getByRole("button", { name: "Reject on the chain" }).click();
    await page.getByText("Rejected", { exact: true }).first().waitFor();
    await proposalPage.decision.getByText("Rejected on the chain.").waitFor();
    // The page asks the chain; the service hears of the block a moment later.
    await eventually("the service has indexed the rejection", async () => {
      const { state } = await service.treasury.proposal({ proposalId: proposal.proposalId });
      return state === "cancelled" ? state : null;
    });
  });
});

describe("a service that would have a good proposal rejected", () => {
  /** The page is answered with `shown` where it asks for the proposal of that id. */
  async function lie(shown: Proposal): Promise<void> {
    const answer = (route: Route) =>
      route.fulfill({ json: shown, headers: { "access-control-allow-origin": "*" } });
    await context.route(`**/proposals/${shown.proposalId}`, answer);
  }

  const swap = async (change: (bad: Proposal, good: Proposal) => Proposal) => {
    const [good, opened] = [await freshProposal(), await freshProposal()];
    const bad = change(opened, good);
    await lie(bad);
    const injected = await wallet(0);
    await proposalPage.show(bad.proposalId);
    await proposalPage.connect(injected.name);
    await proposalPage.rejectButton.click();
    const dialog = page.getByRole("dialog", { name: "Reject this proposal?" });
    await dialog.getByText(good.nonce).waitFor();
    await dialog.getByRole("button", { name: "Reject on the chain" }).click();
    await dialog.getByText("Stopped: another proposal could be rejected instead").waitFor();
    expect(injected.asked).not.toContain("eth_sendTransaction");
    return dialog;
  };

  test("by its nonce under another id: the wallet is never asked", async () => {
    const dialog = await swap((bad, good) => ({ ...bad, nonce: good.nonce }));
    await dialog.getByText(/What is shown hashes to/).waitFor();
  });

  test("by its nonce under an id that was made to fit: the chain knows whose it is", async () => {
    const dialog = await swap((opened, good) => {
      const bad = { ...opened, nonce: good.nonce };
      const { digest } = proposalHashes(typedProposal(bad, { chainId, address: bad.treasury }));
      return { ...bad, proposalId: digest };
    });
    await dialog.getByText(/and never for this proposal: that would end instead/).waitFor();
    await dialog.getByText("1 other proposal that was opened with this nonce ends with it:").waitFor();
  });
});

describe("what can go another way", () => {
  test("a declined signature changes nothing and can be asked again", async () => {
    const proposal = await freshProposal();
    const injected = await wallet(0);
    await proposalPage.show(proposal.proposalId);
    await proposalPage.connect(injected.name);
    injected.decline();
    await proposalPage.sign();
    await proposalPage.dialog.root.getByText("You declined in your wallet").waitFor();
    expect((await service.treasury.proposal({ proposalId: proposal.proposalId })).approvals).toHaveLength(0);
    await proposalPage.dialog.askAgain.click();
    await proposalPage.dialog.signed.waitFor();
    expect((await service.treasury.proposal({ proposalId: proposal.proposalId })).approvals).toHaveLength(1);
  });

  test("cancelling while the wallet asks: one request, no signature at the service, and the dialog says what is still open", async () => {
    const both = [await freshProposal(), await freshProposal()];
    const injected = await wallet(0);
    const queue = new ApprovalsPage(page, stack.webUrl);
    await queue.show();
    await queue.connect(injected.name);
    for (const { proposalId } of both)
      await page
        .locator("li", { has: page.locator(`a[href="/approvals/${proposalId}"]`) })
        .getByRole("checkbox")
        .check();
    await page.getByRole("button", { name: "Sign 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Sign 2 proposals" });
    const confirm = injected.hold();
    await dialog.getByRole("button", { name: "Sign in wallet" }).click();
    await dialog.getByText("Waiting for your wallet").waitFor();
    await page.keyboard.press("Escape");
    await dialog.getByText("The request in your wallet is still open; decline it there.").waitFor();
    confirm();
    await dialog.getByText("The request in your wallet is still open").waitFor({ state: "detached" });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "hidden" });
    expect(injected.asked.filter((method) => method === "eth_signTypedData_v4")).toHaveLength(1);
    for (const { proposalId } of both)
      expect((await service.treasury.proposal({ proposalId })).approvals).toEqual([]);
  });

  test("several are signed in one go; on a wrong network the dialog offers to switch", async () => {
    const both = [await freshProposal(), await freshProposal()];
    const injected = await wallet(0);
    const queue = new ApprovalsPage(page, stack.webUrl);
    await queue.show();
    await queue.connect(injected.name);
    for (const { proposalId } of both)
      await page
        .locator("li", { has: page.locator(`a[href="/approvals/${proposalId}"]`) })
        .getByRole("checkbox")
        .check();
    await page.getByRole("button", { name: "Sign 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Sign 2 proposals" });
    await injected.moveTo(1);
    await dialog.getByRole("button", { name: "Switch network" }).click();
    await dialog.getByRole("button", { name: "Sign in wallet" }).click();
    await dialog.getByRole("button", { name: "Close" }).last().waitFor();
    await dialog.getByText("Signed", { exact: true }).nth(1).waitFor();
    for (const { proposalId } of both)
      expect((await service.treasury.proposal({ proposalId })).approvals).toHaveLength(1);
  });

  test("what is not known here leads back to the list", async () => {
    await proposalPage.show(`0x${"77".repeat(32)}`);
    await page.getByText("This proposal is not known here").waitFor();
    expect(await page.getByRole("button", { name: "Try again" }).count()).toBe(0);
    await page.getByRole("link", { name: "Go back to Approvals" }).click();
    await page.getByRole("heading", { name: "Approvals", level: 1 }).waitFor();
  });

  test("a declined connection says so and connects when asked again", async () => {
    const injected = await wallet(0);
    const queue = new ApprovalsPage(page, stack.webUrl);
    await queue.show();
    injected.decline();
    await queue.connectButton.click();
    const dialog = page.getByRole("dialog", { name: "Connect a wallet" });
    await dialog.getByRole("button", { name: injected.name }).click();
    await dialog.getByText("You declined in your wallet").waitFor();
    await dialog.getByRole("button", { name: injected.name }).click();
    await queue.connectButton.waitFor({ state: "detached" });
  });

  test("a wallet that moves to another network is asked back before anything is signed", async () => {
    const proposal = await freshProposal();
    const injected = await wallet(0);
    await proposalPage.show(proposal.proposalId);
    await proposalPage.connect(injected.name);
    await injected.moveTo(1);
    await proposalPage.decision.getByText("Your wallet is on Ethereum (chain 1)").waitFor();
    expect(await proposalPage.signButton.count()).toBe(0);
    injected.decline(2);
    for (const button of [
      proposalPage.decision.getByRole("button", { name: "Switch network" }),
      proposalPage.switchNetwork,
    ])
      await button.click();
    await eventually("both places say that it was declined", async () =>
      (await page.getByText(/^You declined to switch in your wallet\./).count()) === 2 ? true : null,
    );
    await proposalPage.switchNetwork.click();
    await proposalPage.signButton.waitFor();
  });

  test("an account that owns nothing may look but not sign", async () => {
    const proposal = await freshProposal();
    // Account 9 of the development mnemonic.
    const stranger = "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6";
    const injected = await injectWallet(context, { key: stranger, rpcUrl: stack.rpcUrl, chainId });
    await proposalPage.show(proposal.proposalId);
    await proposalPage.connect(injected.name);
    await proposalPage.decision.getByText(/is not an owner of this Treasury/).waitFor();
    expect(await proposalPage.signButton.count()).toBe(0);
  });

  test("another owner's signature appears without a reload", async () => {
    const proposal = await freshProposal();
    await proposalPage.show(proposal.proposalId);
    await proposalPage.signatures.getByText(/0 of 2/).waitFor();
    const elsewhere = await browser.newContext();
    try {
      const other = new ProposalPage(await elsewhere.newPage(), stack.webUrl);
      await other.show(proposal.proposalId);
      await other.connect("Development wallet");
      await other.sign();
      await other.dialog.signed.waitFor();
    } finally {
      await elsewhere.close();
    }
    await proposalPage.signatures.getByText(/1 of 2/).waitFor();
  });
});

test("the whole way to a signature goes by keyboard alone", async () => {
  const proposal = await freshProposal();
  const injected = await wallet(0);
  await proposalPage.show(proposal.proposalId);
  await press("Connect wallet");
  await press(new RegExp(injected.name));
  await proposalPage.connectButton.waitFor({ state: "detached" });
  await press("Review and sign");
  await press("Continue to compare");
  const heading = proposalPage.dialog.root.getByRole("heading", { name: "Compare the hashes" });
  await heading.waitFor();
  expect(await heading.evaluate((element) => element === document.activeElement)).toBe(true);
  await press("The hashes agree");
  await press("Sign in wallet");
  await proposalPage.dialog.signed.waitFor();
  await page.keyboard.press("Escape");
  await proposalPage.dialog.root.waitFor({ state: "hidden" });
});

/** Tabs until the named button has the focus, then presses Enter. */
async function press(name: string | RegExp): Promise<void> {
  const button = page.getByRole("button", { name }).first();
  await button.waitFor();
  for (let tabs = 0; tabs < 80; tabs += 1) {
    if (await button.evaluate((element) => element === document.activeElement))
      return page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
  }
  throw new Error(`no way by keyboard to "${name}"`);
}
