import type { Locator, Page } from "playwright-core";

/** What a person finds on the pages, by role and name; no checks in here. */

export class AnyPage {
  readonly connectButton: Locator;
  readonly announcer: Locator;
  readonly page: Page;
  readonly webUrl: string;

  constructor(page: Page, webUrl: string) {
    this.page = page;
    this.webUrl = webUrl;
    this.connectButton = page.getByRole("button", { name: "Connect wallet" });
    this.announcer = page.getByTestId("announcer");
  }

  async open(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.webUrl).href);
  }

  async connect(walletName: string): Promise<void> {
    await this.connectButton.click();
    await this.page.getByRole("dialog").getByRole("button", { name: walletName }).click();
    await this.connectButton.waitFor({ state: "detached" });
  }

  /** The development wallet's own switch. */
  async becomeOwner(number: 1 | 2 | 3): Promise<void> {
    await this.page
      .getByRole("button", { name: /^Owner \d/, expanded: false })
      .first()
      .click();
    await this.page.getByRole("button", { name: `Owner ${number}`, exact: true }).click();
    await this.page.keyboard.press("Escape");
  }

  get switchNetwork(): Locator {
    return this.page.getByRole("button", { name: "Wrong network: switch" });
  }
}

export class ApprovalsPage extends AnyPage {
  show = (): Promise<void> => this.open("/approvals");

  proposal(words: string): Locator {
    return this.page.getByRole("link", { name: words }).first();
  }
}

export class ProposalPage extends AnyPage {
  show = (proposalId: string): Promise<void> => this.open(`/approvals/${proposalId}`);

  get title(): Locator {
    return this.page.getByRole("heading", { level: 1 });
  }
  get simulation(): Locator {
    return this.page.getByRole("region", { name: "Simulation" });
  }
  get signatures(): Locator {
    return this.page.getByRole("region", { name: "Signatures" });
  }
  get decision(): Locator {
    return this.page.getByRole("region", { name: "Your decision" });
  }
  get executeButton(): Locator {
    return this.decision.getByRole("button", { name: "Execute", exact: true });
  }
  get relayButton(): Locator {
    return this.decision.getByRole("button", { name: "Let the service execute it" });
  }
  get rejectButton(): Locator {
    return this.decision.getByRole("button", { name: "Reject" });
  }
  get signButton(): Locator {
    return this.decision.getByRole("button", { name: "Review and sign" });
  }
  get dialog(): SignDialog {
    return new SignDialog(this.page);
  }

  /** The three steps of signing, to the wallet. */
  async sign(): Promise<void> {
    await this.signButton.click();
    await this.dialog.toCompare.click();
    await this.dialog.hashesAgree.click();
    await this.dialog.signInWallet.click();
  }
}

export class SolvencyPage extends AnyPage {
  show = (): Promise<void> => this.open("/solvency");

  verdict(words: string): Locator {
    return this.page.getByText(words, { exact: true }).first();
  }
  get checkButton(): Locator {
    return this.page.getByRole("button", { name: "Check the proof of my balance" });
  }
}

class SignDialog {
  readonly root: Locator;
  constructor(page: Page) {
    this.root = page.getByRole("dialog", { name: "Sign the proposal" });
  }
  get toCompare(): Locator {
    return this.root.getByRole("button", { name: "Continue to compare" });
  }
  get hashesAgree(): Locator {
    return this.root.getByRole("button", { name: "The hashes agree" });
  }
  get signInWallet(): Locator {
    return this.root.getByRole("button", { name: "Sign in wallet" });
  }
  get askAgain(): Locator {
    return this.root.getByRole("button", { name: "Ask again" });
  }
  get signed(): Locator {
    return this.root.getByText("Signed. Your signature is with the service.");
  }
  /** The last button, not the cross. */
  get close(): Locator {
    return this.root.getByRole("button", { name: "Close" }).last();
  }
}
